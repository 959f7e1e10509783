"""How far the copying of a workflow has come. Written by sync alone, and only after rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Min, Sum

from dashboard.models.workflow import Workflow


@dataclass(frozen=True)
class Place:
    """Where a walk over a list stands, newest first, so that any process can go on from there.

    `cursor`: Cloudflare's own place in the list that was asked for with `asked_until`. `until`: the
    `created_on` of the last row that was written, where to go on once the cursor is forgotten; None
    at the beginning, and where the list was not sorted. `shown`: the ids of that very instant that
    were written. `began_at`: when the walk began.
    """

    began_at: datetime
    cursor: str = ""
    asked_until: datetime | None = None
    until: datetime | None = None
    shown: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """The place as it was kept in JSON."""
        instants = {
            name: datetime.fromisoformat(kept[name])
            for name in ("began_at", "asked_until", "until")
            if kept.get(name)
        }
        return cls(cursor=kept["cursor"], shown=tuple(kept["shown"]), **instants)

    def kept(self) -> dict[str, Any]:
        """The place as JSON."""
        texts = {
            name: value.isoformat()
            for name in ("began_at", "asked_until", "until")
            if (value := getattr(self, name))
        }
        return {"cursor": self.cursor, "shown": list(self.shown), **texts}

    @property
    def is_beginning(self) -> bool:
        """True when the whole list lies behind it."""
        return not self.cursor and self.until is None

    def without_cursor(self) -> Self:
        """The same place by its date; the beginning where there is none."""
        return replace(self, cursor="", asked_until=None)


@dataclass(frozen=True)
class Coverage:
    """Of how many unfinished instances the detail was not known in their present status, as counted
    at `covered_at`; of several workflows that is the oldest count."""

    unfinished: int
    unread: int
    covered_at: datetime

    @property
    def percent(self) -> int:
        """Rounded down: 100 is said of all of them only."""
        return 100 * (self.unfinished - self.unread) // self.unfinished if self.unfinished else 100


class ProgressQuerySet(models.QuerySet["Progress"]):
    def coverage(self) -> dict[int, Coverage]:
        """Of the workflows that Cloudflare still lists, by the account's primary key."""
        counted = (
            self.filter(workflow__gone_at=None, covered_at__isnull=False)
            .order_by()
            .values_list("workflow__account")
            .annotate(Sum("unfinished"), Sum("unread"), Min("covered_at"))
        )
        return {account: Coverage(*numbers) for account, *numbers in counted}

    def coverage_of(self, workflows: Collection[int] | None) -> Coverage | None:
        """Of these workflows together, or of all that Cloudflare still lists; None where nothing
        was counted yet."""
        counted = self.filter(workflow__gone_at=None, covered_at__isnull=False)
        if workflows is not None:
            counted = counted.filter(workflow__in=workflows)
        told = counted.aggregate(Sum("unfinished"), Sum("unread"), Min("covered_at"))
        return Coverage(*told.values()) if told["covered_at__min"] else None


class Progress(models.Model):
    """What sync remembers of a workflow from one turn to the next.

    `done`: seconds since the epoch when each kind of work was last finished, of a pass over a list
    when that one had begun, and of history when the whole list began to be read again; `learned`:
    rows per second that it found. `places`: where unfinished
    walks stand, by status. `near`: rows of each status on the newest page. `head_total`,
    `head_triggered_on`: what the counts said when that page was read, and what it showed beyond.
    `errored_surplus`: errored rows held beyond Cloudflare's count after the last look at the whole
    list: their retention ended there.
    `errored_deep`, `left_per_request`, `deep_pages`: as in `sync.known.Known`. `unfinished`,
    `unread`: how many unfinished instances were held at `covered_at`, and of how many of them no
    detail was known.
    """

    workflow = models.OneToOneField(
        Workflow, on_delete=models.CASCADE, primary_key=True, related_name="progress"
    )
    done = models.JSONField(default=dict)
    learned = models.JSONField(default=dict)
    places = models.JSONField(default=dict)
    near = models.JSONField(default=dict)
    head_total = models.PositiveBigIntegerField(null=True)
    head_triggered_on = models.DateTimeField(null=True)
    errored_surplus = models.BigIntegerField(default=0)
    errored_deep = models.PositiveBigIntegerField(default=0)
    left_per_request = models.FloatField(default=3.0)
    deep_pages = models.PositiveIntegerField(default=1)
    unfinished = models.PositiveBigIntegerField(default=0)
    unread = models.PositiveBigIntegerField(default=0)
    covered_at = models.DateTimeField(null=True)

    objects = ProgressQuerySet.as_manager()

    def __str__(self) -> str:
        return f"progress of {self.workflow_id}"

    @property
    def coverage(self) -> Coverage | None:
        """None until it was counted."""
        if self.covered_at is None:
            return None
        return Coverage(self.unfinished, self.unread, self.covered_at)


class Gap(models.Model):
    """A stretch of a workflow's instance list that was not read yet, from its newer end.

    `since`: where what is known begins again; None for the workflow's whole older history. The rest
    is a `Place`, which moves down with every page. `rows`: about how many it holds, 0 when unknown.
    `is_history`: it is so large, or so old, that closing it must not hold up what is new.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="gaps")
    is_history = models.BooleanField()
    since = models.DateTimeField(null=True)
    began_at = models.DateTimeField()
    cursor = models.TextField(default="")
    asked_until = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    rows = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"gap of {self.workflow_id} before {self.until}"

    @property
    def place(self) -> Place:
        return Place(self.began_at, self.cursor, self.asked_until, self.until)

    def move(self, place: Place, rows: int) -> None:
        """Writes down that so many more rows, up to the place, were written."""
        self.cursor, self.asked_until, self.until = place.cursor, place.asked_until, place.until
        self.rows = max(0, self.rows - rows)
        # Whoever reads the same gap at the same moment may have closed it: then it stays closed.
        Gap.objects.filter(pk=self.pk).update(
            cursor=self.cursor, asked_until=self.asked_until, until=self.until, rows=self.rows
        )
