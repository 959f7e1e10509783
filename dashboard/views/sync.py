"""How the sync of each account goes, and who carries it: where to look when it is stale."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import celery, connection
from dashboard.broker import Broker
from dashboard.insight.sync_page import SyncPage
from dashboard.models import Account
from dashboard.views.page import HtmxHttpRequest, render_page

#: Beat asks every 2 s what is due.
LATE_AFTER = timedelta(seconds=10)


@dataclass(frozen=True)
class AccountRow:
    """A configured account; `account` is None until a worker has taken it up."""

    name: str
    account: Account | None
    now: datetime

    @property
    def is_under_way(self) -> bool:
        return bool(
            self.account and self.account.leased_until and self.account.leased_until >= self.now
        )

    @property
    def is_due(self) -> bool:
        """Its time has come, and nobody has taken it up."""
        next_at = self.account.next_sync_at if self.account else None
        return not self.is_under_way and (next_at is None or next_at <= self.now)

    @property
    def is_late(self) -> bool:
        """It has been due for some beats."""
        next_at = self.account.next_sync_at if self.account else None
        return self.is_due and (next_at is None or self.now - next_at > LATE_AFTER)

    @property
    def took(self) -> timedelta | None:
        """How long its last sync took."""
        seconds = self.account.last_seconds if self.account else None
        return None if seconds is None else timedelta(seconds=seconds)


@require_safe
def sync_detail(request: HtmxHttpRequest) -> HttpResponse:
    """Each account, each queue, each worker and beat."""
    now = timezone.now()
    with closing(Broker(settings.BUDGET_REDIS_URL)) as broker:
        page = SyncPage(broker.read(celery.queue_names(), now), now)
    ctx = {"page": page, "accounts": _accounts(now), "now": now}
    return render_page(request, "sync/page.html", fragment="sync", ctx=ctx)


def _accounts(now: datetime) -> list[AccountRow]:
    configured = connection.configured_accounts()
    known = {
        account.account_id: account for account in Account.objects.filter(account_id__in=configured)
    }
    return [
        AccountRow(setting.name, known.get(account_id), now)
        for account_id, setting in configured.items()
    ]
