"""The turns of an account: what each begins with, and what is written down at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import BudgetSpent, CloudflareError
from dashboard.models import Account
from dashboard.models.account import Lease
from dashboard.sync.pages import Clock
from dashboard.sync.turn import Report, Turn

#: How long one task works before it lets the next one in; a work that it began is finished.
SLICE = timedelta(seconds=10)
SHORTEST_PAUSE = timedelta(seconds=4)
PAUSE_AFTER_ERROR = timedelta(seconds=15)
#: Renewed after each work; so long an account waits whose worker was killed.
LEASE = timedelta(seconds=60)

#: The back-fill writes the others at the same time.
FINISHED_FIELDS = [
    "last_requests", "leased_until", "waits_for_budget", "sync_error", "sync_failed_at",
    "synced_at", "next_sync_at",
]  # fmt: skip


def ensure_accounts(configured: Iterable[tuple[str, str]]) -> list[Account]:
    """The rows of the configured accounts, given as (account id, name); made where missing."""
    rows = []
    for account_id, name in configured:
        row, _ = Account.objects.update_or_create(account_id=account_id, defaults={"name": name})
        rows.append(row)
    return rows


def sync_account(
    client: Client, account: Account, *, clock: Clock, report: Report | None = None
) -> None:
    """Brings the local copy of one account up to date, its whole history too, and writes down how
    that went.

    Never raises CloudflareError: what failed stands in `account.sync_error` and in each workflow's,
    and the next sync takes up where this one stopped. A budget that is spent is no failure: the
    sync stops, and goes on when it may.
    """
    turn = _turn(client, account, "leased_until", clock=clock, report=report)

    def freshen_and_back_fill() -> None:
        turn.freshen(count_first=True)
        turn.back_fill()

    _take(turn, freshen_and_back_fill)


def freshen(client: Client, account: Account, *, clock: Clock) -> None:
    """One turn at what has changed, for at most `SLICE`. Like `sync_account` otherwise."""
    turn = _turn(client, account, "leased_until", clock=clock, until=clock() + SLICE)
    _take(turn, turn.freshen)


def back_fill(client: Client, account: Account, *, clock: Clock) -> None:
    """One turn at pages that were never read, for at most `SLICE`, in the lane of the back-fill.

    Never raises CloudflareError: `account.next_history_at` says when it goes on.
    """
    turn = _turn(client, account, "history_leased_until", clock=clock, until=clock() + SLICE)
    pause = timedelta(0)
    try:
        turn.back_fill()
    except CloudflareError as error:
        pause = timedelta(seconds=getattr(error, "retry_after", None) or 0)
        if not isinstance(error, BudgetSpent):
            pause = max(pause, PAUSE_AFTER_ERROR)
    if turn.errors:
        pause = max(pause, PAUSE_AFTER_ERROR)
    Account.objects.filter(pk=account.pk).update(
        next_history_at=clock() + pause, history_leased_until=None
    )


def _turn(
    client: Client,
    account: Account,
    lease: Lease,
    *,
    clock: Clock,
    until: datetime | None = None,
    report: Report | None = None,
) -> Turn:
    def renew() -> None:
        Account.objects.filter(pk=account.pk).update(**{lease: clock() + LEASE})

    return Turn(client, account, clock=clock, until=until, after_each=renew, report=report)


def _take(turn: Turn, work: Callable[[], None]) -> None:
    """Does the turn's work and writes down how it went, and when the next is due."""
    before = turn.client.request_count
    goes_on_in: float | None = None
    try:
        work()
    except BudgetSpent as spent:
        goes_on_in = spent.retry_after
    except CloudflareError as error:
        turn.errors.insert(0, error)
    account, now = turn.account, turn.clock()
    pause = SHORTEST_PAUSE
    account.last_requests = turn.client.request_count - before
    account.leased_until = None
    account.waits_for_budget = goes_on_in is not None
    if turn.errors:
        account.sync_error = str(turn.errors[0])
        account.sync_failed_at = now
        retry_after = getattr(turn.errors[0], "retry_after", None) or 0
        pause = max(pause, PAUSE_AFTER_ERROR, timedelta(seconds=retry_after))
    elif goes_on_in is not None:
        pause = timedelta(seconds=goes_on_in)
        # Once it came through whole, it is as fresh as its counts, which lead to all the rest.
        account.synced_at = account.synced_at and account.counted_at
    else:
        account.sync_error = ""
        account.synced_at = now
    account.next_sync_at = now + pause
    account.save(update_fields=FINISHED_FIELDS)
