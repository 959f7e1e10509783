"""Looking at the instance until what was asked for has been seen, or cannot happen any more.

Only reads. Two followers at once do no harm: an item that has settled is never written again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import BudgetSpent, CloudflareError, NotFound
from dashboard.connection import UnknownAccount
from dashboard.models import Instance, Item
from dashboard.models.operation import Kind, State
from dashboard.operations.outcome import outcome_of
from dashboard.operations.sending import WATCH_LOST
from dashboard.sync import read_instance

logger = logging.getLogger(__name__)

Connect = Callable[[str], Client]

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=60)
ITEMS_PER_ROUND = 50
#: When the watch has run out and Cloudflare cannot be asked, it is tried for so long: what nobody
#: could look at is not said to have failed.
PATIENCE = timedelta(hours=1)


def follow_due(connect: Connect, *, clock: Callable[[], datetime]) -> None:
    """Looks at every item whose next look is due, through one client per account.

    Those of operations on many are left to `watching.py`.
    """
    due = (
        Item.objects.unsettled()
        .filter(next_look_at__lte=clock(), operation__is_bulk=False)
        .select_related("operation", "workflow__account")
        .order_by("next_look_at")[:ITEMS_PER_ROUND]
    )
    by_account: dict[str, list[Item]] = {}
    for item in due:
        by_account.setdefault(item.workflow.account.account_id, []).append(item)
    for account_id, items in by_account.items():
        try:
            client = connect(account_id)
        except UnknownAccount:
            logger.warning("Cannot follow operations of %s: not configured.", account_id)
            continue
        for item in items:
            if not look(client, item, now=clock()):
                break


def look(client: Client, item: Item, *, now: datetime) -> bool:
    """Reads the instance once, and writes down what that says of the item.

    False when the request budget had nothing left for it: it stays due, as do those after it.
    """
    if item.state == State.SENDING:
        _recover(item, now)
        return True
    try:
        row = read_instance(client, item.workflow, item.instance_id, now=now)
    except BudgetSpent:
        return False
    except NotFound as error:
        if item.operation.kind == Kind.DELETE and error.what != "workflow":
            note = "Deleted: Cloudflare no longer has it."
            item.write(state=State.DONE, note=note, seen_at=now, settled_at=now)
            return True
        _look_again(item, now, _words(item, "Cloudflare does not find the instance."))
    except CloudflareError as error:
        note = _words(item, f"It could not be looked at. {error}")
        _look_again(item, now, note, patience=PATIENCE)
    else:
        judge(item, row, now=now)
    return True


def judge_open(row: Instance, *, now: datetime) -> None:
    """Settles what a read of the instance, made for whatever reason, shows to have happened."""
    waiting = Item.objects.unsettled().exclude(state=State.SENDING)
    for item in waiting.of_instance(row.workflow, row.instance_id):
        judge(item, row, now=now)


def judge(item: Item, row: Instance, *, now: datetime) -> None:
    """Writes down what a read of the instance says of an open item."""
    operation = item.operation
    kind = Kind(operation.kind)
    detail = row.last_detail if kind is Kind.SEND_EVENT else None
    # An answer that names a new instance says that it is new.
    before = {} if kind is Kind.CREATE and item.answer else item.before
    is_taken = item.state != State.LOST
    seen = outcome_of(kind, operation.arguments, before, row, detail, is_taken=is_taken)
    facts = {"status": row.status, "generation": row.generation}
    if seen.state is None:
        _look_again(item, now, _words(item, seen.note), seen=facts, seen_at=row.seen_at)
    else:
        note = seen.note
        if seen.state == State.DONE and not is_taken:
            note += " Cloudflare's answer was lost, so this may be somebody else's doing."
        item.write(state=seen.state, note=note, seen=facts, seen_at=row.seen_at, settled_at=now)


def _recover(item: Item, now: datetime) -> None:
    """What a crash left behind: sent or not is known by whether `sent_at` was written before."""
    if item.sent_at is None:
        note = "Nothing was sent: this dashboard stopped before it could."
        item.write(state=State.FAILED, note=note, settled_at=now)
    else:
        note = "This dashboard stopped before Cloudflare's answer came. It is not sent again."
        item.write(state=State.LOST, note=note, watched_until=now + WATCH_LOST)


def _words(item: Item, note: str) -> str:
    if item.state == State.LOST:
        return f"Cloudflare's answer was lost, so it is watched and not sent again. {note}"
    return note


def _look_again(
    item: Item, now: datetime, note: str, *, patience: timedelta = timedelta(0), **facts: Any
) -> None:
    if item.watched_until and now > item.watched_until + patience:
        note = f"It was not seen to happen. {note} Look at the instance before you ask again."
        item.write(state=State.FAILED, note=note, settled_at=now, **facts)
        return
    item.write(note=note, next_look_at=_next_look(item, now), **facts)


def _next_look(item: Item, now: datetime) -> datetime:
    since = now - (item.answered_at or item.sent_at or now)
    end = item.watched_until
    if item.operation.is_bulk and not (end and end < now):
        # Thousands may wait for a whole day: each look comes twice as late as the one before.
        moment = now + max(since, FIRST_PAUSE)
        return min(moment, end + FIRST_PAUSE) if end else moment
    return now + min(max(since / 2, FIRST_PAUSE), LONGEST_PAUSE)
