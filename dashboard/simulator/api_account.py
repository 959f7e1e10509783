"""The neighbouring operations: who am I, which accounts, is this token good."""

from __future__ import annotations

from typing import Any

from .access import EMAIL, Grant, unauthenticated
from .chance import uuid_of
from .clock import DAY, instant
from .context import Context
from .errors import Refusal
from .messages import Response, succeed

_VALID = {"code": 10000, "message": "This API Token is valid and active", "type": None}


def verify_user_token(context: Context) -> Response:
    """GET /user/tokens/verify: for tokens that a user owns."""
    if context.grant.owner != "user":
        raise Refusal(401, 1000, "Invalid API Token")
    return _verified(context.grant)


def verify_account_token(context: Context) -> Response:
    """GET /accounts/{id}/tokens/verify: for tokens that the account owns."""
    if context.grant.owner != "account":
        raise Refusal(401, 1000, "Invalid API Token")
    return _verified(context.grant)


def _verified(grant: Grant) -> Response:
    messages = [_VALID] if grant.status == "active" else []
    return succeed({"id": grant.id, "status": grant.status}, messages=messages)


def accounts(context: Context) -> Response:
    """GET /accounts."""
    return context.pages([_account(context)])


def account(context: Context) -> Response:
    """GET /accounts/{id}."""
    return succeed(_account(context))


def user(context: Context) -> Response:
    """GET /user."""
    if context.grant.status != "active":
        raise unauthenticated()
    return succeed({"id": uuid_of("user").replace("-", ""), "email": EMAIL})


def memberships(context: Context) -> Response:
    """GET /memberships."""
    member = {
        "id": uuid_of("member").replace("-", ""),
        "status": "accepted",
        "account": _account(context),
    }
    return context.pages([member])


def _account(context: Context) -> dict[str, Any]:
    return {
        "id": context.world.account_id,
        "name": context.world.account_name,
        "type": "standard",
        "created_on": instant(context.world.start - 400 * DAY),
        "settings": {"enforce_twofactor": False},
    }
