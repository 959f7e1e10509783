"""Outputs that Cloudflare's log holds in part, or not at all: read one by one up to a limit."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from dashboard.cloudflare import Client, StepOutput, types
from dashboard.cloudflare.errors import CloudflareError, NotFound, RateLimited, Unreachable
from dashboard.insight.payload import size_words
from dashboard.models.kept_answer import Part, not_in_log

#: What is kept of one output, and of all outputs of one snapshot, in bytes.
OUTPUT_LIMIT = 4_000_000
TOTAL_LIMIT = 16_000_000
#: So many are asked for, the last ones: people wait for it, and each takes a request.
MOST = 30


@dataclass
class Outputs:
    """As `KeptAnswer` holds them. `failure`: why one could not be read that might be read later."""

    whole: dict[str, types.Json] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failure: CloudflareError | None = None
    size: int = 0


class _TooLarge(Exception):
    """More than is kept."""


def read_outputs(
    client: Client, workflow_name: str, instance_id: str, detail: types.InstanceDetail
) -> Outputs:
    """Reads what the log does not hold whole, of steps and of attempts. What cannot be had is
    missing with its reason, and the rest is still read, except when Cloudflare or the budget ask to
    stop."""
    found = Outputs()
    last_of = {(step.type, step.name): step.index for step in detail.steps}
    parts = not_in_log(detail)
    for part in parts[:-MOST]:
        found.missing[part.key] = f"Only the last {MOST} such outputs are asked for."
    for part in parts[-MOST:]:
        key, step = part.key, part.step
        if not client.target.has_step_output:
            found.missing[key] = f"{client.target.title} gives no more of it."
        elif last_of[step.type, step.name] != step.index:
            found.missing[key] = "Cloudflare gives only the output of the last step of this name."
        elif isinstance(found.failure, RateLimited | Unreachable):
            found.missing[key] = str(found.failure)
        else:
            _read_one(client, workflow_name, instance_id, part, found)
    return found


def _read_one(
    client: Client, workflow_name: str, instance_id: str, part: Part, found: Outputs
) -> None:
    key, room = part.key, min(OUTPUT_LIMIT, TOTAL_LIMIT - found.size)
    step, attempt = part.step, part.attempt
    try:
        with client.get_step(
            workflow_name, instance_id, name=step.name, type=step.type, attempt=attempt
        ) as output:
            whole, size = _within(output, room)
    except _TooLarge:
        found.missing[key] = f"It is larger than the {size_words(room)} that were left to keep."
    except NotFound as error:
        found.missing[key] = str(error)
    except CloudflareError as error:
        found.missing[key] = str(error)
        found.failure = error
    else:
        found.whole[key] = whole
        found.size += size


def _within(output: StepOutput, room: int) -> tuple[types.Json, int]:
    """The output as it is kept, and its size; raises _TooLarge."""
    if not output.is_binary:
        size = len(json.dumps(output.output))
        if size > room:
            raise _TooLarge
        return {"value": output.output}, size
    pieces, size = [], 0
    for piece in output.iter_bytes():
        size += len(piece)
        if size > room:
            raise _TooLarge
        pieces.append(piece)
    text = base64.b64encode(b"".join(pieces)).decode()
    return {"base64": text, "content_type": output.content_type}, size
