"""The entries of an instance's log: what its steps did. Nothing here raises.

A log has up to 25,000 entries, of which a page shows some hundred in full; so a field is read from
the JSON when it is first asked for. Follows the schema of an instance's `steps` at
<https://developers.cloudflare.com/api/resources/workflows/subresources/instances/methods/get/>.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard.cloudflare import values
from dashboard.cloudflare.types import Attempt, Json, Step, StepConfig, StepType

#: The known words: asking the enumeration costs ten times as much.
TYPES = {member.value: member for member in StepType}


class _Entry(Step):  # noqa: PLW1641 -- no step has a hash
    """A step that reads a field when it is first asked for."""

    __slots__ = ()
    _fields: dict[str, Callable[[Json], Any]]

    def __getattr__(self, name: str) -> Any:
        """The field, for which nobody has asked yet."""
        if name not in self._fields:
            raise AttributeError(name)
        value = self._fields[name](self.raw)
        object.__setattr__(self, name, value)
        return value

    def __eq__(self, other: object) -> bool:
        names = ("index", "type", "name", "success", *self._fields)
        same = isinstance(other, Step)
        return same and all(getattr(self, name) == getattr(other, name) for name in names)


def step(value: Any, index: int, *, outputs_are_text: bool) -> Step:
    """One entry of the log at its place in it; an entry that is no object is kept in `raw`."""
    row = value if isinstance(value, dict) else {"value": value}
    entry = _new(_TextEntry if outputs_are_text else _ValueEntry)
    _set(entry, "raw", row)
    _set(entry, "index", index)
    # What is asked of each step.
    _set(entry, "type", _type(row))
    _set(entry, "name", values.text(row.get("name")))
    _set(entry, "success", _success(row))
    return entry


def _type(row: Json) -> StepType:
    word = values.text(row.get("type"))
    return TYPES.get(word) or StepType(word or "unknown")


def _success(row: Json) -> bool | None:
    """`success` of a step; of a sleep or wait what `finished` and `error` say together.

    A wait that timed out is finished and has an error. `end` says nothing: Cloudflare sends the
    planned one of a sleep that goes on.
    """
    if "finished" not in row:
        return values.flag(row.get("success"))
    if values.error_detail(row.get("error")):
        return False
    return True if values.flag(row["finished"]) else None


def _has_value(row: Json) -> bool:
    """Whether there is an output where outputs are values: then null may be one."""
    return row.get("output") is not None or ("output" in row and _success(row) is True)


def _attempts(row: Json) -> tuple[Attempt, ...]:
    return tuple(_attempt(entry) for entry in values.items(row.get("attempts")))


def _attempt(value: Any) -> Attempt:
    row = values.mapping(value)
    return Attempt(
        values.instant(row.get("start")),
        values.instant(row.get("end")),
        values.flag(row.get("success")),
        values.error_detail(row.get("error")),
    )


def _config(row: Json) -> StepConfig | None:
    config = row.get("config")
    if not isinstance(config, dict):
        return None
    retries = values.mapping(config.get("retries"))
    return StepConfig(
        limit=values.integer(retries.get("limit")),
        delay=values.duration(retries.get("delay")),
        backoff=values.text(retries.get("backoff")),
        timeout=values.duration(config.get("timeout")),
        is_sensitive=config.get("sensitive") in ("output", True),
    )


_FIELDS: dict[str, Callable[[Json], Any]] = {
    "start": lambda row: values.instant(row.get("start")),
    "end": lambda row: values.instant(row.get("end")),
    "error": lambda row: values.error_detail(row.get("error")),
    "is_output_truncated": lambda row: values.is_truncated(row.get("output")),
    "attempts": _attempts,
    "config": _config,
    "event_type": lambda row: values.text(row.get("event_type")),
    "trigger": lambda row: values.text(values.mapping(row.get("trigger")).get("source")),
}


class _TextEntry(_Entry):
    """Of a log whose outputs are JSON written as text, in which null is no output."""

    __slots__ = ()
    _fields = {
        **_FIELDS,
        "output": lambda row: values.output(row.get("output"), is_text=True),
        "has_output": lambda row: row.get("output") is not None,
    }


class _ValueEntry(_Entry):
    """Of a log whose outputs are the values themselves."""

    __slots__ = ()
    _fields = {**_FIELDS, "output": lambda row: row.get("output"), "has_output": _has_value}


_new, _set = _Entry.__new__, object.__setattr__
