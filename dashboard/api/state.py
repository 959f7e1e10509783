"""Who asks, what is left of the request budget, and how the sync goes."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from dashboard import celery, connection
from dashboard.api.identity import asking, asking_about_all
from dashboard.api.shapes import Who, answers
from dashboard.broker import Broker
from dashboard.insight.budget_page import Meter
from dashboard.insight.sync_page import SyncPage
from dashboard.models import access_of
from dashboard.views.frame import Frame, Sync

router = Router(tags=["State"])


class Budget(Schema):
    """What is left of Cloudflare's request limit for one token of Cloudflare."""

    accounts: str = Field(description="The accounts that share it, by name.")
    is_known: bool = Field(description="False while Redis does not answer.")
    quota: int | None = None
    window_seconds: float | None = None
    used: int | None = None
    spent_here: int | None = None
    closed_for_seconds: float | None = None
    resets_at: datetime | None = None
    is_low: bool | None = None

    @classmethod
    def of(cls, meter: Meter) -> Budget:
        reading = meter.reading
        if reading is None:
            return cls(accounts=meter.names, is_known=False)
        return cls(
            accounts=meter.names,
            is_known=True,
            quota=reading.quota,
            window_seconds=reading.window,
            used=reading.used,
            spent_here=reading.spent,
            closed_for_seconds=reading.closed_for,
            resets_at=meter.resets_at,
            is_low=reading.is_low,
        )


class Budgets(Schema):
    as_of: datetime
    budgets: list[Budget]


class AccountSync(Schema):
    """How the copy of one account is kept."""

    account: str
    is_configured: bool
    synced_at: datetime | None
    is_stale: bool
    error: str
    failed_at: datetime | None
    waits_for_budget: bool
    goes_on_at: datetime | None
    feed_at: datetime | None
    feed_error: str

    @classmethod
    def of(cls, sync: Sync) -> AccountSync:
        names = set(cls.model_fields) - {"account"}
        return cls(account=sync.name, **{name: getattr(sync, name) for name in names})


class QueueState(Schema):
    name: str
    waiting: int
    is_late: bool
    workers_alive: int


class SyncState(Schema):
    as_of: datetime
    accounts: list[AccountSync]
    is_redis_known: bool
    queues: list[QueueState]
    beats_alive: int


@router.get("/me", response=answers(Who))
def me(request: HttpRequest) -> Who:
    """Who asks, and what they may."""
    user = asking(request)
    return Who(
        user=user.get_username(),
        role=access_of(user).everywhere,
        token=user.token_name,
        can_operate=access_of(user).operates,
        expires_at=user.token.expires_at if user.token else None,
    )


@router.get("/budget", response=answers(Budgets))
def budget(request: HttpRequest) -> Budgets:
    """What is left of Cloudflare's request limit."""
    asking_about_all(request)
    now = timezone.now()
    meters = [Meter(names, one.read(), now) for names, one in connection.budgets()]
    return Budgets(as_of=now, budgets=[Budget.of(meter) for meter in meters])


@router.get("/sync", response=answers(SyncState))
def sync(request: HttpRequest) -> SyncState:
    """How old the local copy is, and who keeps it."""
    asking_about_all(request)
    now = timezone.now()
    with closing(Broker(settings.BUDGET_REDIS_URL)) as broker:
        page = SyncPage(broker.read(celery.queue_names(), now), now)
    return SyncState(
        as_of=now,
        accounts=[AccountSync.of(one) for one in Frame(request).syncs],
        is_redis_known=page.carried is not None,
        queues=[
            QueueState(
                name=row.queue.name,
                waiting=row.queue.waiting,
                is_late=row.is_late,
                workers_alive=row.alive,
            )
            for row in page.queues
        ],
        beats_alive=page.beats,
    )
