from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractUser
from django.db import models

if TYPE_CHECKING:
    from dashboard.models.api_token import ApiToken


class Role(models.TextChoices):
    """What a user may do: look; act on instances; say what is alerted of, and to whom."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(AbstractUser):
    """Someone who signs in. New users may only look."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    #: Through what they ask just now; None for somebody who is signed in.
    token: ApiToken | None = None

    @property
    def can_operate(self) -> bool:
        """May pause, resume, restart, terminate, create, and send events."""
        is_held_back = self.token is not None and not self.token.may_operate
        return self.is_active and self.role in {Role.OPERATOR, Role.ADMIN} and not is_held_back

    @property
    def can_administer(self) -> bool:
        """May change the rules and channels of alerts: with their own hands, not by a token."""
        return self.is_active and self.role == Role.ADMIN and self.token is None

    @property
    def token_name(self) -> str:
        """The name of the token through which they ask; "" when they are signed in."""
        return self.token.name if self.token else ""
