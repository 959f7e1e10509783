from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from dashboard.models.api_token import ApiToken


class Role(models.TextChoices):
    """What somebody may do: nothing; look; act on instances; say who may do what, and what is
    alerted of. Each may do what those before it may."""

    NONE = "none", _("None")
    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    ADMIN = "admin", _("Admin")

    def covers(self, other: Role) -> bool:
        """True when it allows all that the other one does."""
        ranks = [*Role]
        return ranks.index(self) >= ranks.index(other)


class User(AbstractUser):
    """Someone who signs in. New users may only look.

    `role`: what they may do everywhere; grants add to it, see `Access`. `told_groups`: the groups
    that the identity provider named when they last signed in by it. `signed_out_at`: sessions that
    began before it have ended.
    """

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    told_groups = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    signed_out_at = models.DateTimeField(null=True, blank=True)

    #: Through what they ask just now; None for somebody who is signed in.
    token: ApiToken | None = None

    @property
    def token_name(self) -> str:
        """The name of the token through which they ask; "" when they are signed in."""
        return self.token.name if self.token else ""
