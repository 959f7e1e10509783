from __future__ import annotations

from typing import Self

from django.db import models
from django.urls import reverse

from dashboard.models.sealed_text import seal, unseal
from dashboard.models.user import User


class AlertChannelQuerySet(models.QuerySet["AlertChannel"]):
    def present(self) -> Self:
        """Those that nobody has removed, by name."""
        return self.filter(removed_at=None).order_by("name", "pk")


class AlertChannel(models.Model):
    """Where alerts are sent: a name, and an address with its secrets, sealed.

    `service` is the kind of address in words, such as Slack; the address itself is never shown
    again. `tested_at`, `test_words`, `is_test_good`: what came of the last test. A channel that was
    removed keeps its name for the deliveries that went to it, and loses its address.
    """

    name = models.CharField(max_length=80)
    service = models.CharField(max_length=80)
    sealed_address = models.TextField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    tested_at = models.DateTimeField(null=True)
    is_test_good = models.BooleanField(default=False)
    test_words = models.TextField(default="")
    removed_at = models.DateTimeField(null=True)

    objects = AlertChannelQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("alert-channel", args=[self.pk])

    @property
    def address(self) -> str:
        """The address as it was written; raises CannotOpen."""
        return unseal(self.sealed_address)

    @address.setter
    def address(self, text: str) -> None:
        self.sealed_address = seal(text)
