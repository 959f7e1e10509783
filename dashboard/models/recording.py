"""Writing down what Cloudflare said: idempotent, and harmless when two processes do it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from dashboard.cloudflare import types
from dashboard.models import merging
from dashboard.models.account import Account
from dashboard.models.instance import Change, Instance, InstanceDetail, facts_of
from dashboard.models.merging import Merge
from dashboard.models.storing import fits, storable_facts
from dashboard.models.workflow import Version, Workflow

MERGED_FIELDS = [
    "status", "version_id", "trigger", "created_on", "modified_on", "queued_on", "started_on",
    "ended_on", "duration_ms", "error_name", "error_message", "step_count", "generation",
    "is_listed", "seen_at", "status_seen_at", "expired_at",
]  # fmt: skip

#: Cloudflare may need some seconds before it finds what it has just created.
SETTLING = timedelta(seconds=60)


@dataclass(frozen=True)
class Recorded:
    """What one page brought: how many rows were new, and how many changed."""

    new: int = 0
    changed: int = 0


def record_workflows(
    account: Account, listed: Sequence[types.Workflow], *, now: datetime
) -> list[Workflow]:
    """Writes a whole workflow list; those missing from it are marked as gone. Returns the rest."""
    present = [
        record_workflow(account, told, now) for told in listed if fits(Workflow, "name", told.name)
    ]
    account.workflows.filter(gone_at=None).exclude(pk__in=[row.pk for row in present]).update(
        gone_at=now
    )
    return present


def record_workflow(account: Account, told: types.Workflow, now: datetime) -> Workflow:
    """Writes one workflow, new or known."""
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
        facts |= {"counts": told.counts, "counted_at": now}
    facts = storable_facts(Workflow, facts)
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
    listed: Iterable[types.Instance],
    *,
    asked_at: datetime,
    now: datetime,
    is_list_live: bool = False,
) -> Recorded:
    """Writes one page of a list that was asked for at `asked_at`. Finished rows that did not change
    are not touched; unfinished ones are marked as seen."""
    # A page may show a row twice while lists shift. An id that no column holds is no instance's.
    by_id = {told.id: told for told in listed if fits(Instance, "instance_id", told.id)}
    with transaction.atomic():
        known = {
            row.instance_id: row
            for row in Instance.objects.select_for_update()
            .filter(workflow=workflow, instance_id__in=by_id)
            .order_by("pk")
        }
        fresh = [_new_row(workflow, told, now) for id_, told in by_id.items() if id_ not in known]
        Instance.objects.bulk_create(fresh, ignore_conflicts=True)
        changed: list[Instance] = []
        for row in known.values():
            merge = merging.merge_listed(
                row, by_id[row.instance_id], asked_at=asked_at, is_list_live=is_list_live
            )
            if _apply(row, merge, now):
                changed.append(row)
        Instance.objects.bulk_update(changed, MERGED_FIELDS)
        Instance.objects.filter(pk__in=[row.pk for row in known.values()]).unfinished().update(
            seen_at=now
        )
    return Recorded(new=len(fresh), changed=len(changed))


def record_detail(
    workflow: Workflow, instance_id: str, detail: types.InstanceDetail, *, now: datetime
) -> Instance:
    """Writes what a read of the instance itself told, and keeps the answer whole."""
    with transaction.atomic():
        row = (
            Instance.objects.select_for_update()
            .filter(workflow=workflow, instance_id=instance_id)
            .first()
        )
        if row is None:
            row = _row_of_unlisted(workflow, instance_id, detail, now)
        if row.read_at and row.read_at > now:
            return row  # Another process has read it after us, and was faster to write it down.
        _apply(row, merging.merge_detail(row, detail), now)
        row.seen_at = row.read_at = now
        row.read_on = detail.read_on
        row.save()
        InstanceDetail.objects.update_or_create(
            instance=row,
            defaults={
                "read_at": now,
                "outputs_are_text": detail.outputs_are_text,
                "body": InstanceDetail.pack(detail.raw),
            },
        )
    return row


def record_absence(instance: Instance, *, now: datetime) -> Instance:
    """Marks an instance that Cloudflare no longer finds; the row and what is known are kept."""
    with transaction.atomic():
        row = Instance.objects.select_for_update().get(pk=instance.pk)
        is_young = now - row.created_on < SETTLING
        if row.expired_at is None and not is_young:
            _remember(row, Change.Kind.EXPIRED, now)
            row.expired_at = now
            row.save(update_fields=["expired_at"])
    return row


def _new_row(workflow: Workflow, told: types.Instance, now: datetime) -> Instance:
    guess = {"created_on": told.started_on or now, "is_listed": told.created_on is not None}
    return Instance(
        workflow=workflow,
        instance_id=told.id,
        duration_ms=merging.duration_ms(told.started_on, told.ended_on),
        seen_at=now,
        status_seen_at=now,
        **guess | merging.listed_facts(told),
    )


def _row_of_unlisted(
    workflow: Workflow, instance_id: str, detail: types.InstanceDetail, now: datetime
) -> Instance:
    row, _ = Instance.objects.get_or_create(
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
    return Instance.objects.select_for_update().get(pk=row.pk)


def _apply(row: Instance, merge: Merge, now: datetime) -> bool:
    """Puts the merge into the row, and notes what it noticed. True when anything changed."""
    if merge.change:
        _remember(row, merge.change, now)
    if merge.change in {Change.Kind.RESTARTED, Change.Kind.REUSED}:
        row.generation += 1
        row.status_seen_at = now
    if merge.fields.get("status", row.status) != row.status:
        row.status_seen_at = now
    for name, value in merge.fields.items():
        setattr(row, name, value)
    row.duration_ms = merging.duration_ms(row.started_on, row.ended_on)
    if merge.fields:
        row.seen_at = now
    return bool(merge.fields)


def _remember(row: Instance, kind: Change.Kind, now: datetime) -> None:
    Change.objects.create(
        instance=row,
        kind=kind,
        noticed_at=now,
        generation=row.generation,
        before=facts_of(row),
    )
