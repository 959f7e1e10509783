"""The frame around every page: who reads, where they are, and how old what they see is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard import connection, operations
from dashboard.cloudflare.targets import CLOUDFLARE_URL
from dashboard.insight.budget_page import Meter
from dashboard.models import Access, AlertIncident, User, access_of
from dashboard.models.account import SyncState, sync_states
from dashboard.models.addresses import page_address
from dashboard.signing_in import factor
from dashboard.templatetags.links import PageLink

#: What Cloudflare answers may name a workflow that the reader may not see.
UNTOLD_ERROR = gettext_noop("Ask somebody who sees all workflows why.")
#: A sync that has not come through for so long has stopped.
STALE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Sync:
    """How an account's sync goes, and the feed of events beside it.

    `is_configured`: somebody is meant to sync it. `is_under_way`: somebody does so now, or did a
    moment ago.
    """

    name: str
    is_configured: bool
    now: datetime
    synced_at: datetime | None = None
    error: str = ""
    failed_at: datetime | None = None
    waits_for_budget: bool = False
    goes_on_at: datetime | None = None
    feed_at: datetime | None = None
    feed_error: str = ""
    is_under_way: bool = False

    @property
    def stale_from(self) -> datetime | None:
        return self.synced_at + STALE_AFTER if self.synced_at else None

    @property
    def is_stale(self) -> bool:
        return self.stale_from is None or self.now >= self.stale_from


class Frame:
    """What the frame shows. Reads the database once, and only for someone who is signed in."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.now = timezone.now()

    @cached_property
    def is_signed_in(self) -> bool:
        user = getattr(self.request, "user", None)
        return user is not None and user.is_authenticated

    @property
    def is_read_only(self) -> bool:
        return bool(settings.READ_ONLY)

    @cached_property
    def access(self) -> Access | None:
        """What the reader may see and do; None for one who is not signed in."""
        user = getattr(self.request, "user", None)
        return access_of(user) if isinstance(user, User) else None

    @property
    def role(self) -> str:
        """What the reader may do everywhere, in a word or two."""
        if self.access is None or self.access.sees_nothing:
            return _("No role")
        return str(self.access.everywhere.label) if self.access.sees_all else _("Some workflows")

    @property
    def is_admin(self) -> bool:
        return self.access is not None and self.access.is_admin

    @property
    def must_add_factor(self) -> bool:
        """Whether nothing else is shown before they have a second factor."""
        return self.access is not None and factor.is_missing(self.request, self.access)

    @property
    def sees_all(self) -> bool:
        return self.access is not None and self.access.sees_all

    @cached_property
    def why_not_operate(self) -> str:
        """Why this reader cannot act on Cloudflare; "" when they can."""
        if self.access is None:
            return _("Sign in first.")
        return operations.refusal_for_user(self.access.user)

    @property
    def can_operate(self) -> bool:
        return not self.why_not_operate

    @cached_property
    def pages(self) -> list[PageLink]:
        here = self.request.path
        names = ("overview", "instances", "groups", "forecast", "operations")
        overview, instances, groups, forecast, operations = map(page_address, names)
        is_overview = here == overview or (
            here.startswith("/accounts/") and "/instances/" not in here
        )
        is_instances = here == instances or ("/instances/" in here and here != instances)
        found = [
            PageLink(_("Overview"), overview, is_overview, here == overview),
            PageLink(_("Instances"), instances, is_instances, here == instances),
            PageLink(_("Groups"), groups, here.startswith(groups), here == groups),
            PageLink(_("Forecast"), forecast, here == forecast, here == forecast),
            PageLink(_("Operations"), operations, here.startswith(operations), here == operations),
        ]
        if self.is_admin:
            people = page_address("people")
            found.append(PageLink(_("People"), people, here.startswith(people), here == people))
        return found

    @property
    def is_at_alerts(self) -> bool:
        return self.request.path.startswith(page_address("alerts"))

    @property
    def open_alerts(self) -> int:
        """How many incidents are open: comes with the accounts, and so costs no query for who may
        see them all."""
        if self.access and not self.access.sees_all:
            return AlertIncident.objects.unresolved().filter(self.access.seen()).count()
        return max((account.open_alerts for account in self._known), default=0)

    @cached_property
    def _known(self) -> list[SyncState]:
        """Each account by name."""
        return sync_states()

    @cached_property
    def accounts(self) -> dict[str, connection.AccountSetting]:
        """The configured accounts; none when the configuration cannot be read, as `check` says."""
        try:
            return connection.configured_accounts()
        except ImproperlyConfigured:
            return {}

    @property
    def _tells_all(self) -> bool:
        return self.access is None or self.access.sees_all

    def _sees(self, account_id: str) -> bool:
        return self.access is None or self.access.sees_account(account_id)

    @property
    def targets(self) -> str:
        """What is read from, and where that is not Cloudflare itself."""
        titles = {
            account.target.title
            if account.base_url == CLOUDFLARE_URL
            else _("%(target)s at %(address)s")
            % {"target": account.target.title, "address": account.base_url}
            for account in self.accounts.values()
        }
        return ", ".join(sorted(titles))

    @cached_property
    def meters(self) -> list[Meter]:
        """What is left of each token's request budget; asks Redis once for each."""
        try:
            found = connection.budgets()
        except ImproperlyConfigured:
            return []
        # Accounts that share a token are named together; who may not see all is told no names.
        tells = self._tells_all
        return [Meter(names if tells else "", one.read(), self.now) for names, one in found]

    @cached_property
    def syncs(self) -> list[Sync]:
        """Configured accounts first, then those that are only remembered."""
        known = {
            account.account_id: account for account in self._known if self._sees(account.account_id)
        }
        found = [
            self._sync(setting.name, known.pop(account_id, None), is_configured=True)
            for account_id, setting in self.accounts.items()
            if self._sees(account_id)
        ]
        return found + [
            self._sync(account.name, account, is_configured=False) for account in known.values()
        ]

    def _sync(self, name: str, account: SyncState | None, *, is_configured: bool) -> Sync:
        if account is None:
            return Sync(name, is_configured, self.now)
        return Sync(
            account.name or name,
            is_configured,
            self.now,
            account.synced_at,
            account.sync_error if self._tells_all else account.sync_error and _(UNTOLD_ERROR),
            account.sync_failed_at,
            account.waits_for_budget,
            _if_ahead(account.next_sync_at, self.now),
            account.feed_at,
            account.feed_error,
            is_under_way=_is_under_way(account, self.now),
        )


def _is_under_way(account: SyncState, now: datetime) -> bool:
    """While somebody holds the lease; between two turns the last counts tell."""
    is_leased = account.leased_until is not None and account.leased_until > now
    return is_leased or bool(account.counted_at and now - account.counted_at < STALE_AFTER)


def _if_ahead(moment: datetime | None, now: datetime) -> datetime | None:
    """The moment, unless it has passed: what is due goes on now, and not "5 s ago"."""
    return moment if moment and moment > now else None
