"""Writing down what Cloudflare said: idempotent, and harmless when two processes do it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from dashboard.cloudflare import types
from dashboard.models import bulk, bulk_insert, bulk_sql, merging, tallies
from dashboard.models.account import Account
from dashboard.models.instance import Change, Instance, InstanceDetail, facts_of
from dashboard.models.merging import Merge
from dashboard.models.search_text import SearchText, searchable
from dashboard.models.snapshot import Snapshot, Why
from dashboard.models.storing import fits, storable_facts
from dashboard.models.tallies import Moves
from dashboard.models.workflow import Version, Workflow

MERGED_FIELDS = [
    "status", "version_id", "trigger", "created_on", "modified_on", "queued_on", "started_on",
    "ended_on", "duration_ms", "error_name", "error_message", "step_count", "generation",
    "is_listed", "seen_at", "status_seen_at", "expired_at", "left_at",
]  # fmt: skip

#: Cloudflare may need some seconds before it finds what it has just created.
SETTLING = timedelta(seconds=60)


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


def record_workflows(
    account: Account, listed: Sequence[types.Workflow], *, now: datetime
) -> list[Workflow]:
    """Writes a whole workflow list; those missing from it are marked as gone. Returns the rest."""
    known = {(row.name, row.cloudflare_id): row for row in account.workflows.all()}
    present, same = [], []
    for told in listed:
        row = known.get((told.name, told.id))
        if row and told.counts is not None and _says(row, _facts_of_workflow(told)):
            row.counted_at = now
            same.append(row.pk)
            present.append(row)
        elif fits(Workflow, "name", told.name):
            present.append(record_workflow(account, told, now))
    Workflow.objects.filter(pk__in=same).update(counted_at=now)
    account.workflows.filter(gone_at=None).exclude(pk__in=[row.pk for row in present]).update(
        gone_at=now
    )
    return present


def _says(row: Workflow, facts: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in facts.items())


def _facts_of_workflow(told: types.Workflow) -> dict[str, Any]:
    """What a workflow list says, as columns."""
    facts: dict[str, Any] = {
        "class_name": told.class_name,
        "script_name": told.script_name,
        "created_on": told.created_on,
        "modified_on": told.modified_on,
        "triggered_on": told.triggered_on,
        "is_script_deleted": told.is_script_deleted,
        "schedules": [
            {
                "cron": schedule.cron,
                "next_instance": schedule.next_instance and schedule.next_instance.isoformat(),
            }
            for schedule in told.schedules
        ],
        "gone_at": None,
    }
    if told.counts is not None:
        facts["counts"] = told.counts
    return storable_facts(Workflow, facts)


def record_workflow(account: Account, told: types.Workflow, now: datetime) -> Workflow:
    """Writes one workflow, new or known."""
    facts = _facts_of_workflow(told)
    if told.counts is not None:
        facts["counted_at"] = now
    row, is_new = Workflow.objects.get_or_create(
        account=account,
        name=told.name,
        cloudflare_id=storable_facts(Workflow, {"cloudflare_id": told.id})["cloudflare_id"],
        defaults=facts | {"first_seen_at": now, "changed_at": now},
    )
    if is_new:
        return row
    if told.counts != row.counts or told.triggered_on != row.triggered_on or told.counts is None:
        facts["changed_at"] = now
    Workflow.objects.filter(pk=row.pk).update(**facts)
    row.refresh_from_db()
    return row


def record_versions(workflow: Workflow, listed: Iterable[types.Version], *, now: datetime) -> None:
    """Writes the versions of a workflow; earlier ones are kept."""
    for told in (version for version in listed if fits(Version, "version_id", version.id)):
        Version.objects.update_or_create(
            workflow=workflow,
            version_id=told.id,
            defaults=storable_facts(
                Version,
                {
                    "class_name": told.class_name,
                    "language": told.language,
                    "has_dag": told.has_dag,
                    "created_on": told.created_on,
                    "modified_on": told.modified_on,
                    "concurrency_limit": told.concurrency_limit,
                    "step_limit": told.step_limit,
                    "success_retention": str(told.success_retention or ""),
                    "error_retention": str(told.error_retention or ""),
                    "synced_at": now,
                },
            ),
        )
    Workflow.objects.filter(pk=workflow.pk).update(versions_at=now)


def record_page(
    workflow: Workflow,
    listed: Sequence[types.Instance],
    *,
    asked_at: datetime,
    now: datetime,
    is_list_live: bool = False,
) -> Recorded:
    """Writes one page of a list that was asked for at `asked_at`, as `record_pages` does."""
    return record_pages(workflow, [Listed(listed, asked_at)], now=now, is_list_live=is_list_live)


def record_pages(
    workflow: Workflow, pages: Iterable[Listed], *, now: datetime, is_list_live: bool = False
) -> Recorded:
    """Writes some pages of a list at once, in the order they came.

    Rows that say nothing new cost one look: nothing is locked or written for them, except that
    `seen_at` of unfinished ones is moved on once in SEEN_EVERY.
    """
    # While lists shift a row may come twice: the later one counts.
    asked = {row.id: page.asked_at for page in pages for row in page.rows}
    told = {row.id: row for page in pages for row in page.rows}
    found = bulk.compare(workflow.pk, told)
    limit = bulk_insert.text_of(now - SEEN_EVERY)
    stale = [pk for pk, seen_at in found.seen.items() if seen_at < limit]
    if not (found.fresh or found.news or stale):
        return Recorded(seen=[*found.seen])
    with transaction.atomic():
        moves = Moves()
        new = bulk_insert.insert_new(workflow.pk, found.fresh, now, moves)
        news = {pk: (row, asked[row.id]) for pk, row in found.news.items()}
        changed, same = _merge_each(news, now, is_list_live, moves)
        bulk.mark_as_seen([*stale, *same], now)
        if new == len(found.fresh):
            tallies.add(moves)
        else:  # Somebody else has added some since they were looked for.
            tallies.recount(workflow.pk)
    return Recorded(new=new, changed=len(changed), seen=[*found.seen, *same])


def _merge_each(
    news: dict[int, tuple[types.Instance, datetime]],
    now: datetime,
    is_list_live: bool,
    moves: Moves,
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
        if _apply(row, merge, now, moves):
            changed.append(row)
        elif row.is_live:
            same.append(row.pk)
    Instance.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["id"], update_fields=MERGED_FIELDS
    )
    return changed, same


def record_detail(
    workflow: Workflow, instance_id: str, detail: types.InstanceDetail, *, now: datetime
) -> Instance:
    """Writes what a read of the instance itself told, and keeps the answer whole."""
    moves = Moves()
    with transaction.atomic():
        rows = Instance.objects.select_for_update()
        row = rows.filter(workflow=workflow, instance_id=instance_id).first()
        if row is None:
            row = _row_of_unlisted(workflow, instance_id, detail, now, moves)
        if row.read_at and row.read_at > now:
            return row  # Another process has read it after us, and was faster to write it down.
        _apply(row, merging.merge_detail(row, detail), now, moves)
        row.seen_at = row.read_at = now
        row.read_on = detail.read_on
        row.save()
        _keep_overwritten(row, now)
        InstanceDetail.objects.update_or_create(
            instance=row,
            defaults={
                "read_at": now,
                "generation": row.generation,
                "outputs_are_text": detail.outputs_are_text,
                "body": InstanceDetail.pack(detail.raw),
            },
        )
        SearchText.objects.update_or_create(instance=row, defaults=searchable(detail))
        tallies.add(moves)
    return row


def _keep_overwritten(row: Instance, now: datetime) -> None:
    """What was last read before a restart is all there is of it, also when others restarted it."""
    known = InstanceDetail.objects.filter(instance=row, generation__lt=row.generation)
    if row.generation > 1 and (detail := known.select_related("instance").first()):
        Snapshot.objects.try_to_keep(detail, Why.OVERWRITTEN, now=now)


def record_absence(instance: Instance, *, now: datetime) -> Instance:
    """Marks an instance that Cloudflare no longer finds; the row and what is known are kept."""
    with transaction.atomic():
        row = Instance.objects.select_for_update().get(pk=instance.pk)
        is_young = now - row.created_on < SETTLING
        if row.expired_at is None and not is_young:
            _remember(row, Change.Kind.EXPIRED, now)
            moves = Moves({tallies.place(row): -1})
            row.expired_at = now
            moves[tallies.place(row)] += 1
            tallies.add(moves)
        row.left_at = None
        row.save(update_fields=["expired_at", "left_at"])
    return row


def mark_left(
    workflow: Workflow,
    statuses: Collection[str],
    *,
    shown: Collection[str],
    asked_at: datetime,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Marks instances that a list which was asked for at `asked_at` should have shown and did not.

    These are held in one of the statuses, and were so before it was asked for; they were created
    after `since` and not after `until`; and their ids are not among the `shown`. Returns how many.
    """
    held = workflow.instances.filter(
        status__in=statuses, status_seen_at__lt=asked_at, expired_at=None, left_at=None
    )
    if since:
        held = held.filter(created_on__gt=since)
    if until:
        held = held.filter(created_on__lte=until)
    ids = held.values_list("pk", "instance_id").iterator()
    left = [pk for pk, instance_id in ids if instance_id not in shown]
    marked = 0
    for start in range(0, len(left), bulk_sql.AT_ONCE):
        # Asked again, for it may have been seen in between; as in `mark_as_seen` nobody waits.
        some = held.select_for_update(skip_locked=True).filter(
            pk__in=left[start : start + bulk_sql.AT_ONCE]
        )
        with transaction.atomic():
            rows = Instance.objects.filter(pk__in=some.values("pk"))
            marked += rows.update(left_at=now)
    return marked


def mark_silent(
    workflow: Workflow, statuses: Collection[str], *, before: datetime, now: datetime
) -> None:
    """Marks as left the instances in these statuses of which Cloudflare last spoke before then."""
    silent = workflow.instances.filter(
        status__in=statuses, seen_at__lt=before, expired_at=None, left_at=None
    )
    silent.update(left_at=now)


def _row_of_unlisted(
    workflow: Workflow,
    instance_id: str,
    detail: types.InstanceDetail,
    now: datetime,
    moves: Moves,
) -> Instance:
    row, is_new = Instance.objects.get_or_create(
        workflow=workflow,
        instance_id=instance_id,
        defaults={
            "status": merging.detail_facts(detail)["status"],
            "created_on": detail.queued or detail.start or now,
            "is_listed": False,
            "seen_at": now,
            "status_seen_at": now,
        },
    )
    moves[tallies.place(row)] += is_new
    return Instance.objects.select_for_update().get(pk=row.pk)


def _apply(row: Instance, merge: Merge, now: datetime, moves: Moves) -> bool:
    """Puts the merge into the row, which was shown, and notes what it noticed. True when anything
    changed."""
    moves[tallies.place(row)] -= 1
    if merge.change:
        _remember(row, merge.change, now)
    if merge.change in {Change.Kind.RESTARTED, Change.Kind.REUSED}:
        row.generation += 1
        row.status_seen_at = now
        SearchText.objects.filter(instance=row).update(error="")
    if merge.fields.get("status", row.status) != row.status:
        row.status_seen_at = now
    for name, value in merge.fields.items():
        setattr(row, name, value)
    row.duration_ms = merging.duration_ms(row.started_on, row.ended_on)
    has_changed = bool(merge.fields) or row.left_at is not None
    row.left_at = None
    if has_changed:
        row.seen_at = now
    moves[tallies.place(row)] += 1
    return has_changed


def _remember(row: Instance, kind: Change.Kind, now: datetime) -> None:
    Change.objects.create(
        instance=row,
        kind=kind,
        noticed_at=now,
        generation=row.generation,
        before=facts_of(row),
    )
