"""What pages of a list tell of instances, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from dashboard.cloudflare import types
from dashboard.models import bulk, bulk_insert, merging
from dashboard.models.instance import Instance
from dashboard.models.recording.applying import MERGED_FIELDS, apply
from dashboard.models.workflow import Workflow
from dashboard.models.written import Written

#: How old `seen_at` of an unfinished instance may grow while lists go on showing it unchanged.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Listed:
    """The rows of one page of a list, and when it was asked for."""

    rows: Sequence[types.Instance]
    asked_at: datetime


@dataclass(frozen=True)
class Recorded:
    """What pages brought: how many rows were new, how many changed, and the keys of the unfinished
    ones that they showed as they were."""

    new: int = 0
    changed: int = 0
    seen: list[int] = field(default_factory=list)


def record_pages(
    workflow: Workflow,
    pages: Sequence[Listed],
    *,
    now: datetime,
    is_list_live: bool = False,
    are_new: bool = False,
) -> Recorded:
    """Writes some pages of a list at once, in the order they came.

    Rows that say nothing new cost one look: nothing is locked or written for them, except that
    `seen_at` of unfinished ones is moved on once in SEEN_EVERY. `are_new`: most likely the table
    holds none of the rows, so it is tried without that look.
    """
    # While lists shift a row may come twice: the later one counts.
    told = {row.id: row for page in pages for row in page.rows}
    if are_new and (new := _add_all(workflow, told, now)):
        return Recorded(new=new)
    asked = {row.id: page.asked_at for page in pages for row in page.rows}
    while True:
        recorded = _record(workflow, told, asked, now=now, is_list_live=is_list_live)
        if recorded:
            return recorded


def _record(
    workflow: Workflow,
    told: Mapping[str, types.Instance],
    asked: Mapping[str, datetime],
    *,
    now: datetime,
    is_list_live: bool,
) -> Recorded | None:
    """None, with nothing written, when somebody else has added some of the rows since they were
    looked for: which of them is not known, and they must be counted once."""
    found = bulk.compare(workflow.pk, told)
    limit = bulk_insert.text_of(now - SEEN_EVERY)
    stale = [pk for pk, seen_at in found.seen.items() if seen_at < limit]
    if not (found.fresh or found.news or stale):
        return Recorded(seen=[*found.seen])
    with transaction.atomic():
        written = Written(workflow, now)
        new = bulk_insert.insert_new(workflow.pk, found.fresh, now, written)
        if new < len(found.fresh):
            transaction.set_rollback(True)
            return None
        news = {pk: (row, asked[row.id]) for pk, row in found.news.items()}
        changed, same = _merge_each(news, now, is_list_live, written)
        bulk.mark_as_seen([*stale, *same], now)
        written.count()
    return Recorded(new=new, changed=len(changed), seen=[*found.seen, *same])


def _add_all(workflow: Workflow, told: Mapping[str, types.Instance], now: datetime) -> int:
    """Adds all of the rows, or none of them when the table holds any; returns how many it added."""
    rows = [told[instance_id] for instance_id in bulk.nameable(told)]
    written = Written(workflow, now)
    with transaction.atomic():
        if bulk_insert.insert_new(workflow.pk, rows, now, written) < len(rows):
            transaction.set_rollback(True)
            return 0
        written.count()
    return len(rows)


def _merge_each(
    news: dict[int, tuple[types.Instance, datetime]],
    now: datetime,
    is_list_live: bool,
    written: Written,
) -> tuple[list[Instance], list[int]]:
    """Merges what was told of rows into them, as they are now that nobody else can change them.

    Gives the rows that changed, and the keys of unfinished ones that did not.
    """
    changed: list[Instance] = []
    same: list[int] = []
    if not news:
        return changed, same
    for row in Instance.objects.select_for_update().filter(pk__in=news).order_by("pk"):
        told, asked_at = news[row.pk]
        merge = merging.merge_listed(row, told, asked_at=asked_at, is_list_live=is_list_live)
        if apply(row, merge, now, written):
            changed.append(row)
        elif row.is_live:
            same.append(row.pk)
    Instance.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["id"], update_fields=MERGED_FIELDS
    )
    return changed, same
