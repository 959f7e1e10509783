"""The turns of an account: what each begins with, and what is written down at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import BudgetSpent, CloudflareError
from dashboard.models import Account
from dashboard.models.account import Lease
from dashboard.sync.back_fill import BackFilling
from dashboard.sync.pages import Clock
from dashboard.sync.plan import COUNTS_IDLE
from dashboard.sync.turn import Freshening, Report

#: How long one task works before it lets the next one in; a work that it began is finished.
SLICE = timedelta(seconds=10)
#: The workflow list, with its counts, is read this often at most; the rest follows from it.
PAUSE = timedelta(seconds=COUNTS_IDLE)
PAUSE_AFTER_ERROR = timedelta(seconds=15)
#: Renewed after each work; so long an account waits whose worker was killed. No longer than the
#: budget saves up for the back-fill meanwhile (a third of `budget.bucket`'s burst), or it is lost.
LEASE = timedelta(seconds=30)

#: Only these are written: the back-fill, and who reads the events, write the others meanwhile.
SYNC_FIELDS = [
    "synced_at", "next_sync_at", "leased_until", "sync_error", "sync_failed_at", "last_requests",
    "last_seconds", "waits_for_budget",
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
    renew = _renewing(account, "leased_until", clock)
    turn = Freshening(client, account, clock=clock, after_each=renew, report=report)
    older = BackFilling(client, account, clock=clock, after_each=renew)
    older.errors = turn.errors

    def freshen_and_back_fill() -> None:
        turn.run(count_first=True)
        older.run()

    _take(turn, freshen_and_back_fill)


def freshen(client: Client, account: Account, *, clock: Clock) -> None:
    """One turn at what has changed, for at most `SLICE`. Like `sync_account` otherwise."""
    renew = _renewing(account, "leased_until", clock)
    turn = Freshening(client, account, clock=clock, until=clock() + SLICE, after_each=renew)
    _take(turn, turn.run)


def back_fill(client: Client, account: Account, *, clock: Clock) -> None:
    """One turn at what nobody waits for, for at most `SLICE`, in the lane of the back-fill.

    Never raises CloudflareError: what failed stands in the workflow's `sync_error`, and
    `account.next_history_at` says when it goes on.
    """
    renew = _renewing(account, "history_leased_until", clock)
    turn = BackFilling(client, account, clock=clock, until=clock() + SLICE, after_each=renew)
    pause = timedelta(0)
    try:
        turn.run()
    except BudgetSpent as spent:
        pause = timedelta(seconds=spent.retry_after)
    except CloudflareError as error:
        turn.errors.append(error)
    if turn.errors:
        pause = _pause_after(turn.errors[0])
    Account.objects.filter(pk=account.pk).update(
        next_history_at=clock() + pause, history_leased_until=None
    )


def _renewing(account: Account, lease: Lease, clock: Clock) -> Callable[[], None]:
    def renew() -> None:
        Account.objects.filter(pk=account.pk).update(**{lease: clock() + LEASE})

    return renew


def _take(turn: Freshening, work: Callable[[], None]) -> None:
    """Does the turn's work and writes down how it went, and when the next is due."""
    before, began = turn.client.request_count, turn.clock()
    goes_on_in: timedelta | None = None
    try:
        work()
    except BudgetSpent as spent:
        goes_on_in = timedelta(seconds=spent.retry_after)
    except CloudflareError as error:
        turn.errors.insert(0, error)
    account, now = turn.account, turn.clock()
    account.last_requests = turn.client.request_count - before
    account.last_seconds = (now - began).total_seconds()
    account.leased_until = None
    account.waits_for_budget = goes_on_in is not None
    if turn.errors:
        account.sync_error = str(turn.errors[0])
        account.sync_failed_at = now
        account.next_sync_at = now + _pause_after(turn.errors[0])
    else:
        account.next_sync_at = now + goes_on_in if goes_on_in else _next(turn, now)
        if account.last_requests:
            account.sync_error = ""
        account.synced_at = _as_of(turn, now, is_cut=goes_on_in is not None)
    account.save(update_fields=SYNC_FIELDS)


def _as_of(turn: Freshening, now: datetime, *, is_cut: bool) -> datetime | None:
    """Now, where nothing was left to ask; else as of the counts, from which all the rest follows,
    once every workflow has been looked at."""
    if not is_cut and not turn.is_time_up:
        return now
    account = turn.account
    return account.counted_at if turn.has_looked_at_all else account.synced_at


def _next(turn: Freshening, now: datetime) -> datetime:
    """At once where it was interrupted; else when the counts may tell something new."""
    if turn.is_time_up:
        return now
    due = (turn.account.counted_at or now) + PAUSE
    return due if due > now else now + PAUSE


def _pause_after(error: CloudflareError) -> timedelta:
    retry_after = getattr(error, "retry_after", None) or 0
    return max(PAUSE_AFTER_ERROR, timedelta(seconds=retry_after))
