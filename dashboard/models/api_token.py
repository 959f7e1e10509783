"""Tokens with which scripts ask in the name of a user."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from dashboard.models.user import User

#: So that whoever looks for secrets in code and logs knows one.
PREFIX = "wfd_"
#: So many characters of a secret are kept, for people to tell one from another.
SHOWN = 8
LONGEST_LIFE = timedelta(days=365)
#: That it was used is written down at most so often.
NOTED_EVERY = timedelta(minutes=1)
#: What asks Cloudflare or changes something may be asked so often in a minute.
CALLS_PER_MINUTE = 60


class Scope(models.TextChoices):
    """What a token may do, as far as its user may."""

    READ = "read", _("Read")
    OPERATE = "operate", _("Operate")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def make(self, **facts: Any) -> tuple[ApiToken, str]:
        """A new token, and its secret, which is told nowhere else."""
        secret = PREFIX + secrets.token_urlsafe(32)
        return self.create(digest=_digest(secret), begins=secret[:SHOWN], **facts), secret

    def of_secret(self, secret: str) -> ApiToken | None:
        """The token with this secret, with its user; None when there is none."""
        return self.filter(digest=_digest(secret)).select_related("user").first()

    def listed(self) -> Self:
        """The newest first, with whose they are and who revoked them."""
        return self.select_related("user", "revoked_by").order_by("-created_at", "-pk")


class ApiToken(models.Model):
    """A token for the API: it can do what its user can, no more than its scope, until it expires.

    `digest`: the SHA-256 of its secret, which is not kept; `begins`: the secret's first characters.
    `last_used_at` is true to a minute. `calls`: how often it was used for what is counted since
    `counted_from`, which opens a minute. The row stays when it is revoked.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=16, choices=Scope.choices, default=Scope.READ)
    digest = models.CharField(max_length=64, unique=True)
    begins = models.CharField(max_length=SHOWN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    counted_from = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            # Operations name it by its user's name and its own.
            models.UniqueConstraint(fields=["user", "name"], name="api_token_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def may_operate(self) -> bool:
        """Whether it may act at all; its user may have to be asked, too."""
        return self.scope == Scope.OPERATE

    def why_closed(self, now: datetime) -> str:
        """Why it opens nothing; "" when it does."""
        if self.revoked_at:
            return f"The token {self.name} was revoked on {self.revoked_at:%Y-%m-%d}."
        if now >= self.expires_at:
            return f"The token {self.name} expired on {self.expires_at:%Y-%m-%d}."
        if not self.user.is_active:
            return f"The account of {self.user}, whose token this is, is switched off."
        return ""

    def acting_user(self) -> User:
        """Its user, who can do no more than the token."""
        user = self.user
        user.token = self
        return user

    def note_use(self, now: datetime) -> None:
        """Writes down that it was used just now, unless that was done a moment ago."""
        if self.last_used_at is None or now - self.last_used_at >= NOTED_EVERY:
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=now)

    def take_call(self, now: datetime) -> bool:
        """Counts a call that is not for nothing; False when there were too many in this minute."""
        minute = now.replace(second=0, microsecond=0)
        is_same = Q(counted_from=minute)
        free = ~is_same | Q(counted_from=None) | Q(calls__lt=CALLS_PER_MINUTE)
        calls = Case(When(is_same, then=F("calls") + 1), default=Value(1))
        mine = ApiToken.objects.filter(free, pk=self.pk)
        return mine.update(calls=calls, counted_from=minute) == 1

    def revoke(self, by: User, now: datetime) -> None:
        """Lets it open nothing any more, for good."""
        mine = ApiToken.objects.filter(pk=self.pk, revoked_at=None)
        mine.update(revoked_at=now, revoked_by=by)


def _digest(secret: str) -> str:
    """A long random secret needs no salt, and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
