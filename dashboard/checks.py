"""`manage.py check`: a missing or wrong setting, named in a sentence with its cure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from dashboard import connection
from dashboard.cloudflare.errors import Unauthorized
from dashboard.connection import AccountSetting

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@checks.register("dashboard")
def accounts_are_configured(**_: Any) -> list[checks.CheckMessage]:
    """At least one account; each with an id, something that opens it, and a usable address."""
    try:
        accounts = connection.read_accounts()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="dashboard.E001")]
    if not any(
        account.suffix or account.account_id or _has_secret(account) for account in accounts
    ):
        return [
            checks.Warning(
                "No Cloudflare account is configured, so there is nothing to watch.",
                hint="Set CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN, or "
                "CLOUDFLARE_API_BASE_URL to the address of a running `wrangler dev`.",
                id="dashboard.W001",
            )
        ]
    found = [message for account in accounts for message in _problems(account)]
    return [*found, *_repeated(accounts)]


@checks.register("dashboard")
def network_is_meant(**_: Any) -> list[checks.CheckMessage]:
    """Whoever listens to a network says under which name, or any name is answered."""
    if settings.BIND in LOOPBACK or settings.PUBLIC_URL:
        return []
    return [
        checks.Warning(
            f"BIND is {settings.BIND}, so others can reach this, under any host name and "
            "without HTTPS.",
            hint="Set PUBLIC_URL to the address that people use.",
            id="dashboard.W002",
        )
    ]


def _problems(account: AccountSetting) -> Iterator[checks.CheckMessage]:
    suffix = account.suffix
    if not account.account_id:
        yield checks.Error(
            f"CLOUDFLARE_ACCOUNT_ID{suffix} is missing, so nothing of this account is watched.",
            hint="Copy it from the address of its dashboard: dash.cloudflare.com/<account id>.",
            id="dashboard.E004",
        )
    if account.target.needs_token and not account.has_credentials:
        yield _without_secret(account)
    if not _is_http(account.base_url):
        yield checks.Error(
            f"CLOUDFLARE_API_BASE_URL{suffix} is not an http(s) address.",
            hint=connection.BASE_URL_CURE,
            id="dashboard.E003",
        )
    try:
        account.credentials.headers()
    except Unauthorized as error:
        yield checks.Error(f"{_name(account)}: {error}", id="dashboard.E006")


def _without_secret(account: AccountSetting) -> checks.CheckMessage:
    suffix = account.suffix
    if account.credentials.email or account.credentials.key:
        missing = "CLOUDFLARE_API_KEY" if account.credentials.email else "CLOUDFLARE_EMAIL"
        return checks.Error(
            f"{_name(account)} has only half of its e-mail and global key.",
            hint=f"Set {missing}{suffix} too, or CLOUDFLARE_API_TOKEN{suffix} instead of both.",
            id="dashboard.E002",
        )
    return checks.Error(
        f"{_name(account)} has no API token.",
        hint=f"Set CLOUDFLARE_API_TOKEN{suffix}, or CLOUDFLARE_API_TOKEN{suffix}_FILE to a file "
        "that holds it. It needs Workers Scripts: Read to look, and Workers Scripts: Edit to act.",
        id="dashboard.E002",
    )


def _repeated(accounts: list[AccountSetting]) -> Iterator[checks.CheckMessage]:
    counts = Counter(account.account_id for account in accounts if account.account_id)
    for account_id in (id_ for id_, count in counts.items() if count > 1):
        names = [account.suffix for account in accounts if account.account_id == account_id]
        yield checks.Error(
            f"{' and '.join(f'CLOUDFLARE_ACCOUNT_ID{name}' for name in names)} are the same.",
            hint="Each name in CLOUDFLARE_ACCOUNTS stands for an account of its own.",
            id="dashboard.E005",
        )


def _name(account: AccountSetting) -> str:
    return f"The account {account.name}" if account.account_id or account.suffix else "The account"


def _has_secret(account: AccountSetting) -> bool:
    credentials = account.credentials
    return bool(credentials.token or credentials.email or credentials.key)


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
