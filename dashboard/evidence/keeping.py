"""Keeping an instance as it was last read, with the outputs that had been cut."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from dashboard.cloudflare import Client
from dashboard.evidence.outputs import read_outputs
from dashboard.models import Instance, InstanceDetail, Snapshot, Why

#: How long after a failure cut outputs are asked for again.
RETRY_AFTER = timedelta(minutes=5)


class NotKept(Exception):
    """The evidence could not be kept, or not whole; `str()` is a sentence that says why."""


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
                known,
                why,
                now=now,
                outputs=outputs.whole,
                missing=outputs.missing,
                retry_at=now + RETRY_AFTER if outputs.failure else None,
            )
    except DatabaseError as error:
        raise NotKept(f"The database did not take it ({type(error).__name__}).") from error
    if outputs.failure:
        count = len(outputs.missing)
        words = "one output" if count == 1 else f"{count} outputs"
        raise NotKept(
            f"Steps and errors were kept, but not the whole of {words}. {outputs.failure}"
        ) from outputs.failure
    return snapshot


def _last_read(row: Instance) -> InstanceDetail | None:
    return InstanceDetail.objects.select_related("instance__workflow").filter(instance=row).first()
