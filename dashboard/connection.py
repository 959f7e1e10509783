"""Which accounts there are, and a client for each. The only place that reads a Cloudflare token.

Tokens come from the environment, or from files that it names (`…_FILE`); never from the database,
and never into a setting, where a debug page could show them.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from threading import RLock
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from dashboard import cloudflare, env
from dashboard.cloudflare import Lane, Spender, targets
from dashboard.cloudflare.redis_budget import RedisBudget

#: A local `wrangler dev` has no accounts; this is how its one world is called here.
LOCAL_ACCOUNT_ID = "local"
BASE_URL_CURE = (
    "Leave it out for Cloudflare itself, or write http://127.0.0.1:8787 for a `wrangler dev`."
)


class UnknownAccount(LookupError):
    """No account with this id is configured."""


@dataclass(frozen=True)
class AccountSetting:
    """One configured account: where it is, and what opens it. `repr()` shows no secret."""

    account_id: str
    name: str
    base_url: str
    target: targets.Target
    credentials: cloudflare.Credentials = field(repr=False)
    suffix: str = ""

    @property
    def has_credentials(self) -> bool:
        return not self.credentials.is_empty


def configured_accounts() -> dict[str, AccountSetting]:
    """The configured accounts by id, as the environment says now."""
    return {account.account_id: account for account in read_accounts() if account.account_id}


def read_accounts() -> list[AccountSetting]:
    """Every account that the environment names, also one whose id is missing.

    Raises ImproperlyConfigured for what cannot be read at all.
    """
    names = env.text(
        "CLOUDFLARE_ACCOUNTS", help="Names of several accounts, such as `prod staging`."
    ).split()
    return [_read_account(name) for name in names or [""]]


def _read_account(name: str) -> AccountSetting:
    suffix = f"_{name.upper().replace('-', '_')}" if name else ""
    base_url = env.text(
        f"CLOUDFLARE_API_BASE_URL{suffix}",
        targets.CLOUDFLARE_URL,
        help="Another address of the API, or that of a running `wrangler dev`.",
    )
    try:
        target, base_url = targets.target_of(base_url)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"CLOUDFLARE_API_BASE_URL{suffix} is no address: {error}. {BASE_URL_CURE}"
        ) from error
    _refuse_elsewhere(base_url, f"CLOUDFLARE_API_BASE_URL{suffix}")
    account_id = env.text(f"CLOUDFLARE_ACCOUNT_ID{suffix}", help="The account to watch.")
    if not account_id and not target.has_accounts:
        account_id = f"{LOCAL_ACCOUNT_ID}{suffix.lower()}"
    return AccountSetting(
        account_id=account_id,
        name=env.text(
            f"CLOUDFLARE_ACCOUNT_NAME{suffix}",
            help="How pages call it; else its name in CLOUDFLARE_ACCOUNTS, or the id's start.",
        )
        or name
        or (f"account {account_id[:8]}" if target.has_accounts else target.title),
        base_url=base_url,
        target=target,
        credentials=cloudflare.Credentials(
            token=env.secret(f"CLOUDFLARE_API_TOKEN{suffix}", help="An API token for it."),
            email=env.text(f"CLOUDFLARE_EMAIL{suffix}", help="With CLOUDFLARE_API_KEY: the user."),
            key=env.secret(f"CLOUDFLARE_API_KEY{suffix}", help="The older global API key."),
        ),
        suffix=suffix,
    )


def _refuse_elsewhere(base_url: str, variable: str) -> None:
    """Raises ImproperlyConfigured where the token would go to a host that nobody has allowed, such
    as the one where a cloud keeps its secrets. What is no address at all is left to `checks.py`."""
    allowed = env.text(
        "CLOUDFLARE_API_ALLOWED_HOSTS",
        help="Hosts that the API may be asked at besides api.cloudflare.com and this machine.",
    ).split()
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or _is_this_machine(host):
        return
    if host not in {urlsplit(targets.CLOUDFLARE_URL).hostname, *allowed}:
        raise ImproperlyConfigured(
            f"{variable} names {host}, which is neither Cloudflare nor this machine; write it into "
            "CLOUDFLARE_API_ALLOWED_HOSTS if the token may be sent there."
        )
    if parts.scheme != "https" and host not in allowed:
        raise ImproperlyConfigured(f"{variable} would send the token in the clear; write https://.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def account_setting(account_id: str) -> AccountSetting:
    """The configured account with this id; raises UnknownAccount."""
    try:
        return configured_accounts()[account_id]
    except KeyError:
        raise UnknownAccount(
            _("No account %(id)s is configured here; CLOUDFLARE_ACCOUNT_ID names the one to watch.")
            % {"id": account_id}
        ) from None


_clients: dict[AccountSetting, cloudflare.Client] = {}
_budgets: dict[str, RedisBudget] = {}
#: Of two that threads make at once, one would be lost with its connections open.
_making = RLock()


def connect(
    account_id: str, lane: Lane = Lane.PERSON, spender: Spender = Spender.WEB
) -> cloudflare.Client:
    """The client of this account, seen through a lane of its budget; raises UnknownAccount.

    Every thread of the process shares its connections. A new client costs 30 ms and, to
    Cloudflare, a TLS handshake; so there is one for as long as the account's settings stay the
    same.
    """
    account = account_setting(account_id)
    with _making:
        if account not in _clients:
            _clients[account] = cloudflare.Client(
                account.account_id,
                account.credentials,
                base_url=account.base_url,
                allow_undocumented=settings.CLOUDFLARE_UNDOCUMENTED_ROUTES,
                params_as_text=settings.CLOUDFLARE_PARAMS_AS_TEXT,
                timeout=settings.CLOUDFLARE_TIMEOUT,
                gate=budget_of(account),
            )
        return _clients[account].in_lane(lane, spender)


def budget_of(account: AccountSetting) -> RedisBudget | None:
    """The budget of the account's token, which accounts with the same token share.

    None where nothing is limited: a local `wrangler dev`.
    """
    if not account.target.needs_token:
        return None
    fingerprint = account.credentials.fingerprint
    with _making:
        if fingerprint not in _budgets:
            _budgets[fingerprint] = RedisBudget(
                settings.BUDGET_REDIS_URL, fingerprint, share=settings.BUDGET_SHARE / 100
            )
        return _budgets[fingerprint]


def budgets() -> list[tuple[str, RedisBudget]]:
    """Each budget with the names of the accounts that live on it."""
    names: dict[RedisBudget, list[str]] = {}
    for account in configured_accounts().values():
        if account.has_credentials and (budget := budget_of(account)):
            names.setdefault(budget, []).append(account.name)
    return [(", ".join(sorted(found)), budget) for budget, found in names.items()]


def disconnect() -> None:
    """Closes every client and budget; the next `connect` opens new ones."""
    while _clients:
        _clients.popitem()[1].close()
    while _budgets:
        _budgets.popitem()[1].close()
