"""Details of instances for tests: recorded ones, and ones made to order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dashboard.cloudflare import parsing
from dashboard.cloudflare.types import InstanceDetail

SAMPLES = Path(__file__).parent.parent / "samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
#: A moment shortly after the samples were recorded.
NOW = datetime(2026, 11, 20, 23, 38, 52, tzinfo=UTC)
START = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def recorded(name: str) -> Any:
    """The `result` of a sample, as JSON."""
    return json.loads((SAMPLES / f"{name}.json").read_text())["result"]


def sample(name: str) -> InstanceDetail:
    return detail(recorded(name))


def detail(result: Any) -> InstanceDetail:
    return parsing.instance_detail(result, outputs_are_text=False)


def at(seconds: float) -> str:
    """An instant so many seconds after START, as Cloudflare writes it."""
    moment = START + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def attempt(start: float, end: float | None, *, error: str = "") -> dict[str, Any]:
    return {
        "start": at(start),
        "end": None if end is None else at(end),
        "success": None if end is None else not error,
        "error": {"name": "Error", "message": error} if error else None,
    }


def step(name: str, *attempts: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A step with these attempts; done if the last one is, else still open."""
    last = attempts[-1]
    return {
        "type": "step",
        "name": name,
        "start": attempts[0]["start"],
        "end": last["end"] if last["success"] else None,
        "success": last["success"] or None,
        "attempts": list(attempts),
        "config": {
            "retries": {"limit": 5, "delay": "10 seconds", "backoff": "exponential"},
            "timeout": "10 minutes",
        },
    } | rest


def pause(kind: str, name: str, start: float, end: float | None, **rest: Any) -> dict[str, Any]:
    """A sleep or a wait for an event that goes on."""
    return {
        "type": kind,
        "name": name,
        "start": at(start),
        "end": None if end is None else at(end),
        "finished": False,
        "error": None,
    } | rest


def running(*steps: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """The result of an instance that began at START."""
    return {
        "status": "running",
        "queued": at(0),
        "start": at(0),
        "end": None,
        "steps": list(steps),
        "step_count": len(steps),
    } | rest
