from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, Self

from django.db import models
from django.db.models import Q

from dashboard.models import by_hand

#: Two kinds of work on one account may go on at once: each has a lease of its own.
Lease = Literal["leased_until", "history_leased_until"]

#: By hand, for every page asks.
STATES = """
    SELECT account_id, name, synced_at, sync_error, sync_failed_at, waits_for_budget,
        next_sync_at, leased_until, counted_at, feed_at, feed_error,
        (SELECT count(*) FROM dashboard_alertincident WHERE resolved_at IS NULL)
    FROM dashboard_account ORDER BY name
"""


class SyncState(NamedTuple):
    """How the sync of an account goes, named as in `Account`. `open_alerts`: how many incidents are
    open, of all accounts."""

    account_id: str
    name: str
    synced_at: datetime | None
    sync_error: str
    sync_failed_at: datetime | None
    waits_for_budget: bool
    next_sync_at: datetime | None
    leased_until: datetime | None
    counted_at: datetime | None
    feed_at: datetime | None
    feed_error: str
    open_alerts: int


class AccountQuerySet(models.QuerySet["Account"]):
    def due(self, now: datetime) -> Self:
        """Accounts whose next sync is due and which nobody syncs at the moment."""
        return self.filter(Q(next_sync_at=None) | Q(next_sync_at__lte=now)).filter(
            Q(leased_until=None) | Q(leased_until__lt=now)
        )

    def due_for_history(self, now: datetime) -> Self:
        """Accounts with pages or details that were never read, or with instances to look at again,
        whose back-fill may go on now."""
        return (
            self.filter(Q(next_history_at=None) | Q(next_history_at__lte=now))
            .filter(Q(history_leased_until=None) | Q(history_leased_until__lt=now))
            .filter(
                Q(workflows__gaps__is_history=True)
                | Q(workflows__progress__unread__gt=0)
                | Q(pk__in=self._with_late(now)),
                workflows__gone_at=None,
            )
            .distinct()
        )

    def _with_late(self, now: datetime) -> list[int]:
        """The accounts with instances to look at again."""
        from dashboard.models.instance import Instance  # It stands above this module.

        found = []
        for account in self:
            workflows = account.workflows.filter(gone_at=None).values_list("pk", flat=True)
            rows = Instance.objects.among(workflows)
            # Sliced, they keep their order, and with it the index that is read from its start.
            if any(
                some.values_list("pk")[:1] for some in (rows.late(now), rows.stuck_at_last(now))
            ):
                found.append(account.pk)
        return found

    def feed_due(self, now: datetime) -> Self:
        """Accounts whose events are due to be read, and which nobody reads at the moment."""
        return self.filter(Q(next_feed_at=None) | Q(next_feed_at__lte=now))

    def steps_due(self, now: datetime) -> Self:
        """Accounts whose step events are due to be read, and which nobody reads at the moment."""
        return self.filter(Q(step_feed__next_at=None) | Q(step_feed__next_at__lte=now))


class Account(models.Model):
    """A Cloudflare account that is watched, and how its sync goes.

    `synced_at`: when a sync last came through whole. `sync_error`: what stopped the last one, ""
    when nothing did. `leased_until`: until then somebody syncs it; an economy, not a lock, for a
    sync run twice at once does no harm. `last_requests`: what the last sync asked of Cloudflare,
    `last_seconds`: how long it took.
    `waits_for_budget`: it stopped because the request budget had nothing left for it, and goes on
    at `next_sync_at`. `history_leased_until`, `next_history_at`: the same two for the back-fill.
    `fed_through`: no event before it can be news any more. `feed_at`: when the events were last
    read; `feed_error`: why they cannot be, "" when they can. `next_feed_at`: when they are due
    again; while somebody reads them, when somebody else may.
    """

    account_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    counted_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    next_sync_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    sync_error = models.TextField(default="")
    sync_failed_at = models.DateTimeField(null=True)
    last_requests = models.PositiveIntegerField(default=0)
    last_seconds = models.FloatField(null=True)
    waits_for_budget = models.BooleanField(default=False)
    history_leased_until = models.DateTimeField(null=True)
    next_history_at = models.DateTimeField(null=True)
    fed_through = models.DateTimeField(null=True)
    feed_at = models.DateTimeField(null=True)
    feed_error = models.TextField(default="")
    next_feed_at = models.DateTimeField(null=True)

    objects = AccountQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


def sync_states() -> list[SyncState]:
    """Of each account, by name."""
    return [
        SyncState._make(
            by_hand.moment(told) if isinstance(told, datetime) else told for told in row
        )
        for row in by_hand.rows(STATES)
    ]
