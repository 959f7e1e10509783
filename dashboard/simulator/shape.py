"""Instances as JSON, field by field as the official pages and the recorded answers have them.

`old` gives the shapes of the earlier pages: eight statuses, no trigger source in lists, no
rollback, schedule, event type or sensitivity.
"""

from __future__ import annotations

import json
from typing import Any

from .clock import instant, instant_or_none
from .entries import Attempt, Entry, Event
from .instance import Instance
from .plan import Do, Failure, Stream, Wait
from .workflow import Row

CUT_AFTER = 1_024  # characters of an output that the log shows
CUT_MARK = "[truncated output]"
REDACTED = "[REDACTED]"
Json = dict[str, Any]


def shown_status(status: str, *, old: bool) -> str:
    """The status as this shape of the API spells it."""
    return "running" if old and status == "rollingBack" else status


def row(found: Row, workflow_id: str, *, old: bool) -> Json:
    """One item of "List of workflow instances"."""
    shape: Json = {
        "id": found.id,
        "created_on": instant(found.created),
        "modified_on": instant(found.modified),
        "started_on": instant_or_none(found.started),
        "ended_on": instant_or_none(found.ended),
        "status": shown_status(found.status, old=old),
        "version_id": found.version_id,
        "workflow_id": workflow_id,
    }
    if not old:
        shape["trigger_source"] = found.trigger
    return shape


def created(instance: Instance, workflow_id: str, now: int, *, old: bool) -> Json:
    """The result of "Create a new workflow instance"."""
    shape: Json = {
        "id": instance.id,
        "status": shown_status(instance.status(now), old=old),
        "version_id": instance.version_id,
        "workflow_id": workflow_id,
    }
    if not old:
        shape["trigger_source"] = instance.trigger
    return shape


def detail(instance: Instance, now: int, *, simple: bool, descending: bool, old: bool) -> Json:
    """The result of "Get logs and status from instance"."""
    course, status = instance.course, instance.status(now)
    ended = instance.ended(now)
    log = [entry for entry in course.seen(now) if not old or entry.kind != "rollback"]
    success = None if ended is None else status == "complete"
    shape: Json = {
        "status": shown_status(status, old=old),
        "params": instance.params,
        "trigger": {"source": instance.trigger},
        "versionId": instance.version_id,
        "queued": instant(instance.queued),
        "start": instant_or_none(instance.started(now)),
        "end": instant_or_none(ended),
        "success": success,
        "error": _error(course.error) if ended is not None or status == "rollingBack" else None,
        "output": output_text(course.output) if status == "complete" else None,
        "step_count": len(log),
    }
    if not old:
        shape["rollback"] = _rollback(instance) if ended is not None else None
        if instance.schedule:
            shape["schedule"] = {
                "cron": instance.schedule.cron,
                "scheduledTime": instance.schedule.scheduled_time,
            }
    if not simple:
        entries = [entry_shape(entry, old=old) for entry in log]
        shape["steps"] = entries[::-1] if descending else entries
    return shape


def _rollback(instance: Instance) -> Json | None:
    if instance.course.rollback is None:
        return None
    outcome, failure = instance.course.rollback
    return {"outcome": outcome, "error": _error(failure)}


def _error(failure: Failure | None) -> Json | None:
    return None if failure is None else {"name": failure.name, "message": failure.message}


def output_text(value: Any, *, limit: int = CUT_AFTER) -> str | int | float | None:
    """An output as the log shows it: JSON text, cut when long; numbers stay numbers."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, Stream):
        return f"[ReadableStream (binary): {value.size} bytes]"
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= limit else text[:limit] + CUT_MARK


def entry_shape(entry: Entry, *, old: bool) -> Json:
    """One entry of `steps`."""
    if entry.kind == "termination":
        return {"type": "termination", "trigger": {"source": entry.source}}
    if isinstance(entry.spec, Do):
        return _do(entry, entry.spec, old=old)
    end = entry.end if entry.end is not None else entry.due
    shape: Json = {
        "name": entry.name,
        "type": entry.kind,
        "start": instant(entry.start),
        "end": instant(end if end is not None else entry.start),
        "finished": entry.end is not None,
        "error": _error(entry.error),
    }
    if isinstance(entry.spec, Wait):
        if isinstance(entry.output, Event):
            shape["output"] = output_text(event_output(entry.output))
        if not old:
            shape["event_type"] = entry.spec.event_type
    return shape


def event_output(event: Event) -> Json:
    """What a wait gives: the event with its payload, as recorded."""
    return {"payload": event.payload, "type": event.type, "timestamp": instant(event.at)}


def _do(entry: Entry, spec: Do, *, old: bool) -> Json:
    retries: Json = {"limit": spec.retries.limit, "delay": spec.retries.delay}
    if spec.retries.backoff:
        retries["backoff"] = spec.retries.backoff
    config: Json = {"retries": retries, "timeout": spec.timeout}
    if spec.sensitive and not old:
        config["sensitive"] = "output"
    text = output_text(entry.output)
    done = entry.end is not None
    return {
        "name": entry.name,
        "type": entry.kind,
        "start": instant(entry.start),
        "end": instant_or_none(entry.end),
        "success": None if not done else entry.error is None,
        "output": REDACTED if spec.sensitive and done and not entry.error else _as_text(text),
        "attempts": [_attempt(attempt) for attempt in entry.attempts],
        "config": config,
    }


def _as_text(value: str | float | None) -> str | None:
    return None if value is None else str(value)


def _attempt(attempt: Attempt) -> Json:
    return {
        "start": instant(attempt.start),
        "end": instant_or_none(attempt.end),
        "success": None if attempt.end is None else attempt.error is None,
        "error": _error(attempt.error),
    }


def step_output(entry: Entry, attempt: int | None, *, old: bool) -> Json | Stream:
    """The result of "Get full step output from instance", or the stream to serve as it is."""
    if isinstance(entry.spec, Do):
        return _full_output(entry, entry.spec, attempt)
    status = "waiting" if entry.end is None else "errored" if entry.error else "complete"
    shape: Json = {"status": status, "error": _error(entry.error), "output": None}
    if isinstance(entry.output, Event):
        shape["output"] = event_output(entry.output)
    if isinstance(entry.spec, Wait) and not old:
        shape["event_type"] = entry.spec.event_type
    return shape


def _full_output(entry: Entry, spec: Do, number: int | None) -> Json | Stream:
    """`running` with an error means: between two attempts, or in one after a failure."""
    if number is None:
        last = next((a for a in reversed(entry.attempts) if a.end is not None), None)
        done = entry.end is not None
    else:
        last = entry.attempts[number - 1]
        done = last.end is not None
        last = last if done else None
    error = _error(last.error) if last else None
    if not done or last is None:
        return {"status": "running", "error": error, "output": None}
    if error:
        return {"status": "errored", "error": error, "output": None}
    if spec.sensitive:
        return {"status": "complete", "error": None, "output": REDACTED}
    if isinstance(entry.output, Stream):
        return entry.output
    return {"status": "complete", "error": None, "output": entry.output}
