"""Keeping an instance as it was last read: at once, or with the outputs that had been cut."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from dashboard.cloudflare import Client
from dashboard.cloudflare.types import Status
from dashboard.evidence.outputs import cut_steps, read_outputs
from dashboard.models import Instance, InstanceDetail, Snapshot, Why

#: How long after a failure cut outputs are asked for again.
RETRY_AFTER = timedelta(minutes=5)


class NotKept(Exception):
    """The evidence could not be kept, or not whole; `str()` is a sentence that says why."""


def keep_errored(row: Instance, *, now: datetime) -> None:
    """Keeps an instance that is seen errored for the first time since it began.

    Asks Cloudflare nothing: outputs that were cut are asked for later, when nobody waits.
    """
    if row.status != Status.ERRORED:
        return
    if Snapshot.objects.of_generation(row).filter(status=Status.ERRORED).exists():
        return
    known = _last_read(row)
    if known is None or known.generation != row.generation:
        return
    snapshot = Snapshot.objects.try_to_keep(known, Why.ERRORED, now=now)
    if snapshot and cut_steps(snapshot.kept.detail):
        Snapshot.objects.filter(pk=snapshot.pk).update(retry_at=now)


def keep_whole(client: Client, row: Instance, why: Why, *, now: datetime) -> Snapshot:
    """Keeps the instance as it was last read, with every output that Cloudflare still gives.

    What can be kept is kept also when it then raises NotKept: when nothing was ever read, an output
    could not be read, or the database refused.
    """
    known = _last_read(row)
    if known is None:
        raise NotKept("Nothing was ever read of this instance.")
    outputs = read_outputs(client, row.workflow.name, row.instance_id, known.parse())
    try:
        with transaction.atomic():
            snapshot = Snapshot.objects.keep(
                known, why, now=now, outputs=outputs.whole, missing=outputs.missing
            )
    except DatabaseError as error:
        raise NotKept(f"The database did not take it ({type(error).__name__}).") from error
    if outputs.failure:
        Snapshot.objects.filter(pk=snapshot.pk).update(retry_at=now + RETRY_AFTER)
        count = len(outputs.missing)
        words = "one output" if count == 1 else f"{count} outputs"
        raise NotKept(
            f"Steps and errors were kept, but not the whole of {words}. {outputs.failure}"
        ) from outputs.failure
    return snapshot


def _last_read(row: Instance) -> InstanceDetail | None:
    return InstanceDetail.objects.select_related("instance__workflow").filter(instance=row).first()
