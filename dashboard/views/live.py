"""How live the page of an instance is: what its chip says, and polls that have nothing to tell."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.translation import get_language

from dashboard.insight.overdue import is_stuck
from dashboard.models import Instance, InstanceDetail, Item, Look, Mark, Snapshot
from dashboard.sync.finding import Found
from dashboard.sync.watching import AT_WORK, PACE
from dashboard.views.guards import access
from dashboard.views.page import HtmxHttpRequest

#: A page that was told nothing for so long says so; two polls may get lost.
STALE_AFTER = timedelta(seconds=20)
#: Seconds after which it is drawn anew although Cloudflare said nothing: what does not tick by
#: itself, such as "was due to wake" and the labels of bars, becomes true by the clock alone.
GOES_ON = 30
LATEST_OPERATIONS = 5


@dataclass(frozen=True)
class Live:
    """`told_at`: when Cloudflare last said that the instance is as it is shown. `is_polling`: the
    page asks again by itself."""

    instance: Instance
    look: Look | None
    is_polling: bool

    @property
    def told_at(self) -> datetime | None:
        """The later of the last answer for this page and the last read by anybody."""
        told = [self.instance.read_at, self.look.told_at if self.look else None]
        return max((moment for moment in told if moment), default=None)

    @property
    def stale_from(self) -> datetime | None:
        return self.told_at + STALE_AFTER if self.told_at else None

    @property
    def state(self) -> str:
        """What the chip says: live, over, gone, unwatched, or the look's trouble."""
        if self.look is None:
            return "unwatched"
        if self.instance.expired_at:
            return "gone"
        if self.look.trouble:
            return self.look.trouble
        return "live" if self.is_polling else "over"

    @property
    def pace(self) -> int:
        """Seconds between two questions to Cloudflare, however many people look."""
        return int(PACE.total_seconds())

    @property
    def log_pace(self) -> int:
        """Seconds after which the whole log is read again while a step is at work."""
        return int(AT_WORK.total_seconds())


@dataclass(frozen=True)
class Beside:
    """What people did to an instance: it stands on its page beside what Cloudflare says."""

    items: Sequence[Item]
    marks: Sequence[Mark]
    snapshots: Sequence[Snapshot]

    @classmethod
    def of(cls, row: Instance) -> Self:
        """What was asked for last, what its steps do outside, and what is kept of it."""
        items = Item.objects.of_instance(row.workflow, row.instance_id)
        marks = Mark.objects.of(row.workflow).select_related("set_by")
        kept = Snapshot.objects.of_instance(row.workflow, row.instance_id)
        return cls(list(items[:LATEST_OPERATIONS]), list(marks), list(kept))


def tag_of(request: HtmxHttpRequest, found: Found, beside: Beside, now: datetime) -> str:
    """A short name for all that the page says; the same as long as it would say the same.

    Told without reading the log, let alone drawing it: most polls end here.
    """
    row, mine = found.instance, access(request)
    if row is None:
        return ""
    changed_at = InstanceDetail.objects.filter(instance=row).values_list("changed_at", flat=True)
    facts = [
        request.get_full_path(), get_language(), mine.user.pk, mine.key, settings.READ_ONLY,
        row.pk, row.status, row.generation, row.version_id, row.step_count,
        row.status_seen_at, row.ended_on, row.expired_at, list(changed_at),
        found.look and (found.look.trouble, found.look.troubled_since, found.look.words),
        [(item.pk, item.state, item.note) for item in beside.items],
        [(mark.pk, mark.set_at) for mark in beside.marks],
        [(kept.pk, kept.pinned_at) for kept in beside.snapshots],
        row.due_on is not None and row.due_on <= now, is_stuck(row),
        now.timestamp() // GOES_ON,
    ]  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]


def is_known(request: HtmxHttpRequest, tag: str) -> bool:
    """Whether the reader's page says that already."""
    return bool(request.htmx) and bool(tag) and request.headers.get("HX-PTag") == tag


def unchanged(tag: str, live: Live) -> HttpResponse:
    """Nothing to swap: the page stays as it is, and its chip learns when that was last true."""
    response = HttpResponseNotModified(headers={"HX-PTag": tag, "Vary": "HX-Request"})
    if live.told_at:
        response.headers["Told-At"] = live.told_at.isoformat()
    return response
