"""An instance that people look at, kept current: one asks Cloudflare, all are shown what it said.

Time is cut into slots of PACE. Whoever looks first in a slot asks, whichever process they came to;
everybody else is answered from the local copy. So fifty readers cost what one does.

A read without steps tells whether anything has changed; the whole log follows only if so, or if
steps may have moved on in silence: an attempt that fails changes nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import BudgetSpent, CloudflareError, NotFound
from dashboard.insight.phase import PhaseKind
from dashboard.models import Instance, Item, Look, merging, recording
from dashboard.sync.reading import mark_absent, read_instance

PACE = timedelta(seconds=5)
#: Longer than any read may take with its repetitions; then somebody else may try.
LEASE = timedelta(seconds=60)
#: After so long the whole log is read although nothing else has changed: while something is at
#: work in the instance, and while it only waits.
AT_WORK = timedelta(seconds=15)
AT_REST = timedelta(seconds=60)
RESTING = frozenset(
    {PhaseKind.QUEUED, PhaseKind.SLEEPING, PhaseKind.WAITING_FOR_EVENT, PhaseKind.PAUSED}
)


def look_at(client: Client, row: Instance, *, now: datetime) -> tuple[Look, Instance | None]:
    """What is known of how current the row is, after asking Cloudflare if it is this caller's turn.

    The second value is the row as it was written now, None if Cloudflare was not asked or did not
    answer. Never raises CloudflareError: the look tells of it.
    """
    look, _ = Look.objects.get_or_create(instance=row)
    slot = begin_of_slot(now)
    if row.read_at and row.read_at >= slot and not look.trouble:
        return look, None  # Whoever followed an operation has just read it.
    if not look.take(now, not_since=slot, lease=LEASE):
        return look, None
    try:
        read = _ask(client, row, now)
    except CloudflareError as error:
        look.note_trouble(_trouble(error), str(error), now)
        return look, None
    else:
        look.note_answer(now)
        return look, read
    finally:
        look.give_back()


def begin_of_slot(now: datetime) -> datetime:
    """When the slot began in which `now` lies."""
    seconds = now.timestamp()
    return datetime.fromtimestamp(seconds - seconds % PACE.total_seconds(), tz=UTC)


def _ask(client: Client, row: Instance, now: datetime) -> Instance:
    if _is_log_due(row, now):
        return read_instance(client, row.workflow, row.instance_id, now=now)
    try:
        told = client.get_instance(row.workflow.name, row.instance_id, simple=True)
    except NotFound as error:
        mark_absent(row.workflow, row.instance_id, error, now=now)
        raise
    if "steps" in told.raw:  # A target that knows no other read.
        return recording.record_detail(row.workflow, row.instance_id, told, now=now)
    merge = merging.merge_detail(row, told)
    if merge.fields or merge.change:
        return read_instance(client, row.workflow, row.instance_id, now=now)
    Instance.objects.filter(pk=row.pk, seen_at__lt=now).update(seen_at=now)
    row.seen_at = now
    return row


def _is_log_due(row: Instance, now: datetime) -> bool:
    """Whether a read without steps would not tell enough."""
    if row.read_at is None or row.read_at < row.status_seen_at or row.expired_at:
        return True
    if row.due_on and row.read_at < row.due_on <= now:
        return True
    if row.expected_by and row.read_at <= row.expected_by <= now:
        return True
    if Item.objects.unsettled().of_instance(row.workflow, row.instance_id).exists():
        return True
    if row.is_finished:
        return False
    return now - row.read_at >= (AT_REST if row.phase in RESTING else AT_WORK)


def _trouble(error: CloudflareError) -> Look.Trouble:
    if isinstance(error, BudgetSpent):
        return Look.Trouble.WAITING
    return Look.Trouble.MISSING if isinstance(error, NotFound) else Look.Trouble.FAILING
