from __future__ import annotations

import json
import secrets
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from dashboard.models import kept_answer
from dashboard.models.access import Access


def new_key() -> str:
    """What nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


class FrozenLinkQuerySet(models.QuerySet["FrozenLink"]):
    def seen_by(self, access: Access) -> Self:
        """All, or of those who may not see all workflows their own: a title may name anything."""
        return self if access.sees_all else self.filter(made_by=access.user)

    def listed(self) -> Self:
        """The newest first, without the bodies."""
        return self.select_related("made_by", "revoked_by").defer("body").order_by("-frozen_at")

    def freeze(self, document: Any, **facts: Any) -> FrozenLink:
        """Writes a redacted document down for good."""
        body = kept_answer.written(document)
        return self.create(body=kept_answer.pack(body), digest=kept_answer.digest(body), **facts)


class FrozenLink(models.Model):
    """A read-only page of one or more instances as they were at a moment, redacted when made.

    `body` holds nothing that was redacted. The row stays after it has expired or was revoked, for
    it says who showed what to whom; `is_public`: also to those who are not signed in.
    """

    key = models.CharField(max_length=64, unique=True, default=new_key)
    title = models.CharField(max_length=200)
    frozen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    is_public = models.BooleanField(default=False)
    rules = models.JSONField(default=dict)
    hidden_count = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64)
    body = models.BinaryField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="frozen_links"
    )
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="revocations"
    )

    objects = FrozenLinkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-frozen_at"], name="frozen_newest")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("frozen", args=[self.key])

    @cached_property
    def document(self) -> bytes:
        """What is shown, as it was written: its SHA-256 is `digest`."""
        return kept_answer.unpack(self.body)

    @cached_property
    def instances(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.document)["instances"]
        return found

    def is_open(self, now: datetime) -> bool:
        """Whether it still shows anything."""
        return self.revoked_at is None and now < self.expires_at
