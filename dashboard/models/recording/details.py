"""What a read of an instance itself tells, or that there is none."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from dashboard.cloudflare import types
from dashboard.insight.standing import standing
from dashboard.models import merging, tallies
from dashboard.models.instance import Change, Instance, InstanceDetail
from dashboard.models.kept_answer import not_in_log
from dashboard.models.recording.applying import apply, remember, stand
from dashboard.models.search_text import SearchText, searchable
from dashboard.models.snapshot import Snapshot, Why
from dashboard.models.tallies import Moves
from dashboard.models.workflow import Workflow

#: Cloudflare may need some seconds before it finds what it has just created.
SETTLING = timedelta(seconds=60)


def record_detail(
    workflow: Workflow, instance_id: str, detail: types.InstanceDetail, *, now: datetime
) -> Instance:
    """Writes what a read of the instance itself told, and keeps the answer whole; as evidence, too,
    what it replaces of an earlier start, and one that is seen errored for the first time."""
    moves = Moves()
    with transaction.atomic():
        rows = Instance.objects.select_for_update()
        row = rows.filter(workflow=workflow, instance_id=instance_id).first()
        if row is None:
            row = _row_of_unlisted(workflow, instance_id, detail, now, moves)
        if row.read_at and row.read_at > now:
            return row  # Another process has read it after us, and was faster to write it down.
        apply(row, merging.merge_detail(row, detail), now, moves)
        row.seen_at = row.read_at = now
        row.read_on = detail.read_on
        stand(row, standing(detail, detail.read_on or now))
        row.save()
        _keep(row, detail, now)
        tallies.add(moves)
    row.last_detail = detail
    return row


def _keep_overwritten(row: Instance, now: datetime) -> None:
    """What was last read before a restart is all there is of it, also when others restarted it."""
    known = InstanceDetail.objects.filter(instance=row, generation__lt=row.generation)
    if row.generation > 1 and (detail := known.select_related("instance").first()):
        Snapshot.objects.try_to_keep(detail, Why.OVERWRITTEN, now=now)


def _keep_errored(row: Instance, detail: types.InstanceDetail, now: datetime) -> None:
    """Once for each start. Outputs that were cut are asked for later, when nobody waits."""
    if detail.status != types.Status.ERRORED:
        return
    if not Snapshot.objects.of_generation(row).filter(status=detail.status).exists():
        known = InstanceDetail.objects.select_related("instance").get(instance=row)
        retry_at = now if not_in_log(detail) else None
        Snapshot.objects.try_to_keep(known, Why.ERRORED, now=now, retry_at=retry_at)


def record_absence(instance: Instance, *, now: datetime) -> Instance:
    """Marks an instance that Cloudflare no longer finds; the row and what is known are kept."""
    with transaction.atomic():
        row = Instance.objects.select_for_update().get(pk=instance.pk)
        is_young = now - row.created_on < SETTLING
        if row.expired_at is None and not is_young:
            remember(row, Change.Kind.EXPIRED, now)
            moves = Moves({tallies.place(row): -1})
            row.expired_at = now
            moves[tallies.place(row)] += 1
            tallies.add(moves)
        row.left_at = None
        row.save(update_fields=["expired_at", "left_at"])
    return row


def _keep(row: Instance, detail: types.InstanceDetail, now: datetime) -> None:
    """Keeps the answer whole; one that says the same again costs no writing."""
    _keep_overwritten(row, now)
    body, generation = InstanceDetail.pack(detail.raw), row.generation
    same = InstanceDetail.objects.filter(instance=row, generation=generation, body=body)
    if not same.update(read_at=now):
        facts = {"read_at": now, "changed_at": now, "outputs_are_text": detail.outputs_are_text}
        facts |= {"generation": generation, "body": body}
        InstanceDetail.objects.update_or_create(instance=row, defaults=facts)
        SearchText.objects.update_or_create(instance=row, defaults=searchable(detail))
    _keep_errored(row, detail, now)


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
