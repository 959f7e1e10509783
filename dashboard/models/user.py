from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a user may do: look; act on instances; say what is alerted of, and to whom."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(AbstractUser):
    """Someone who signs in. New users may only look."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    @property
    def can_operate(self) -> bool:
        """May pause, resume, restart, terminate, create, and send events."""
        return self.is_active and self.role in {Role.OPERATOR, Role.ADMIN}

    @property
    def can_administer(self) -> bool:
        """May change the rules and channels of alerts."""
        return self.is_active and self.role == Role.ADMIN
