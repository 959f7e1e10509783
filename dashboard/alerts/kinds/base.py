"""What every kind of rule is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from django.utils.functional import Promise

from dashboard.alerts.history import History


class Store(StrEnum):
    """A part of the history, so that only what is needed is read."""

    PERIODS = "periods"
    COUNTS = "counts"
    GROUPS = "groups"
    READINGS = "readings"


@dataclass(frozen=True)
class Firing:
    """Something to alert of. `key`: what it is about, the incident's identity within its rule.

    `value` says how bad it is, in the rule's own measure: the larger, the worse. `began_at`: a
    moment that is no later than its beginning, as far as anybody knows; None where it began now.
    """

    key: str
    subject: str
    sentence: str
    value: float
    workflow: int | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    began_at: datetime | None = None


class Kind(Protocol):
    """A kind of rule with its terms. A frozen dataclass whose fields `whole` or `words` make."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str | Promise]
    SAYS: ClassVar[str | Promise]
    STORE: ClassVar[Store]
    #: Whether it watches workflows; and whether one must be chosen.
    OF_WORKFLOW: ClassVar[bool]
    NEEDS_WORKFLOW: ClassVar[bool]

    @property
    def reach(self) -> timedelta:
        """How far back it looks from a moment."""

    @property
    def usual_over(self) -> timedelta:
        """How much of what was before that tells it what is usual. Without that it must find all
        that it would find with it."""
        return timedelta(0)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        """What was to be alerted of at that moment, by all that was known then."""


def whole(
    label: str | Promise, default: int, *, least: int, most: int, help: str | Promise = ""
) -> Any:
    """A whole number that a person sets, in these bounds."""
    told = {"label": label, "least": least, "most": most, "help": help}
    return dataclasses.field(default=default, metadata=told)


def words(label: str | Promise, *, longest: int, help: str | Promise = "") -> Any:
    """A text that a person may set."""
    told = {"label": label, "longest": longest, "help": help}
    return dataclasses.field(default="", metadata=told)


def minutes(number: int) -> str:
    """ "1 minute", "90 minutes"."""
    return f"{number} minute{'s' * (number != 1)}"


def instances(number: int) -> str:
    """ "1 instance", "1,200 instances"."""
    return f"{number:,} instance{'s' * (number != 1)}"


def of_workflow(pk: int) -> str:
    """The key of an alert about a workflow."""
    return f"workflow:{pk}"
