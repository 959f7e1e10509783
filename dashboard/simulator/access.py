"""Who may ask: tokens with their permissions, and the older e-mail and key."""

from __future__ import annotations

from dataclasses import dataclass

from .chance import uuid_of
from .errors import Refusal

FULL, READ_ONLY, EXPIRED = "simulator-token", "simulator-read-only-token", "simulator-expired-token"
NO_ANALYTICS = "simulator-no-analytics-token"
EMAIL, KEY = "simulator@example.com", "simulator-global-api-key"


@dataclass(frozen=True)
class Grant:
    """What a token may do. `name` is for people and logs, never the token itself."""

    name: str
    writes: bool = True
    reads: bool = True
    status: str = "active"
    owner: str = "user"
    analytics: bool = True

    @property
    def id(self) -> str:
        """The id that the token has in the account."""
        return uuid_of("token", self.name).replace("-", "")


def default_grants() -> dict[str, Grant]:
    """The tokens that a simulator accepts when nobody says otherwise."""
    return {
        FULL: Grant("full"),
        READ_ONLY: Grant("read only", writes=False),
        NO_ANALYTICS: Grant("no analytics", analytics=False),
        EXPIRED: Grant("expired", status="expired"),
        "simulator-no-permission-token": Grant("no permission", writes=False, reads=False),
        "simulator-account-token": Grant("account-owned", owner="account"),
    }


def identify(headers: dict[str, str], grants: dict[str, Grant]) -> Grant:
    """The grant of a request; refuses as the API does when there is none."""
    if headers.get("x-auth-email") == EMAIL and headers.get("x-auth-key") == KEY:
        return Grant("global API key")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise Refusal(
            400,
            6003,
            "Invalid request headers",
            chain=(6111, "Invalid format for Authorization header"),
        )
    grant = grants.get(token.strip())
    if grant is None:
        raise unauthenticated()
    return grant


def unauthenticated() -> Refusal:
    """The token is not known, or no longer valid."""
    return Refusal(401, 10000, "Authentication error")


def forbidden() -> Refusal:
    """The token lacks a permission, or does not reach this account."""
    return Refusal(403, 10000, "Authentication error")
