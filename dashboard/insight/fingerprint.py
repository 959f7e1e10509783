"""Pure: which failures are the same failure, as a short text that says so."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from dashboard.cloudflare.types import ErrorDetail, InstanceDetail, Status, Step
from dashboard.insight.normalising import normal
from dashboard.insight.states import failing_step

#: Raised whenever the same failure may get another fingerprint: what was grouped stays as it is,
#: and what fails from then on is grouped anew.
VERSION = "v1"
#: How Cloudflare and its engine wrap what a step threw.
WRAPPED = re.compile(
    r'Step threw a NonRetryableError with message "(?:(\w{1,100}): )?(.*)"\s*', re.DOTALL
)
#: The name of an error stands before its message where the error itself is only an "Error".
NAMED = re.compile(r"([A-Z]\w{0,80}(?:Error|Exception)): (.+)", re.DOTALL)
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """What an instance failed with. `step` is the author's name of the step that it failed in, ""
    when it failed between steps; `message` is whole."""

    step: str
    name: str
    message: str

    @property
    def normal_step(self) -> str:
        return normal(self.step)[:LONGEST_NAME]

    @property
    def normal_message(self) -> str:
        return normal(self.message)

    @property
    def fingerprint(self) -> str:
        """The same for failures with the same cause in one workflow: at most 40 characters that
        begin with the version."""
        told = [self.normal_step, normal(self.name)[:LONGEST_NAME], self.normal_message]
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        return f"{VERSION}:{digest[:32]}"


def failure_of(detail: InstanceDetail) -> Failure | None:
    """What an errored instance failed with; None when it is not errored.

    What the failing step said counts more than what the instance repeats of it: of an error that
    must not be retried Cloudflare tells only there.
    """
    if detail.status is not Status.ERRORED:
        return None
    step = failing_step(detail)
    name, message = _unwrapped(_own_error(step) or detail.error)
    return Failure(step.base_name if step else "", name, message)


def _own_error(step: Step | None) -> ErrorDetail | None:
    if step is None:
        return None
    last = step.attempts[-1].error if step.attempts else None
    found = step.error or last
    return found if found and (found.name or found.message) else None


def _unwrapped(error: ErrorDetail | None) -> tuple[str, str]:
    if error is None:
        return "", ""
    if wrapped := WRAPPED.fullmatch(error.message):
        return wrapped[1] or error.name, wrapped[2]
    if error.name in {"", "Error"} and (named := NAMED.fullmatch(error.message)):
        return named[1], named[2]
    return error.name, error.message
