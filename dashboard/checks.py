"""`manage.py check`: a missing or wrong setting, named in a sentence with its cure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from dashboard import connection


@checks.register("dashboard")
def accounts_are_configured(**_: Any) -> list[checks.CheckMessage]:
    """At least one account; each with an id, something that opens it, and a usable address."""
    try:
        accounts = connection.configured_accounts()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="dashboard.E001")]
    if not accounts:
        return [
            checks.Warning(
                "No Cloudflare account is configured, so there is nothing to watch.",
                hint="Set CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN, or "
                "CLOUDFLARE_API_BASE_URL to the address of a running `wrangler dev`.",
                id="dashboard.W001",
            )
        ]
    return [message for account in accounts.values() for message in _check(account)]


def _check(account: connection.AccountSetting) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    if account.target.needs_token and not account.has_credentials:
        found.append(
            checks.Error(
                f"The account {account.name} has no API token.",
                hint=f"Set CLOUDFLARE_API_TOKEN{account.suffix}, or "
                f"CLOUDFLARE_API_TOKEN{account.suffix}_FILE to a file that holds it. It needs "
                "Workers Scripts: Read to look, and Workers Scripts: Edit to act.",
                id="dashboard.E002",
            )
        )
    address = urlsplit(account.base_url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        found.append(
            checks.Error(
                f"CLOUDFLARE_API_BASE_URL{account.suffix} is not an http(s) address.",
                hint="Leave it out for Cloudflare itself, or write http://127.0.0.1:8787 for a "
                "`wrangler dev`.",
                id="dashboard.E003",
            )
        )
    return found
