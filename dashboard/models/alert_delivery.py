from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from dashboard.models.alert_channel import AlertChannel
from dashboard.models.alert_incident import AlertEvent


class DeliveryState(models.TextChoices):
    """What became of it. What is unknown is never sent again by itself."""

    PENDING = "pending", _("To be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    UNKNOWN = "unknown", _("Unknown")
    FAILED = "failed", _("Not sent")


OPEN_STATES = (DeliveryState.PENDING, DeliveryState.SENDING)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: datetime) -> Self:
        """Those to be sent now: to each channel the events of an incident in their order."""
        before = Delivery.objects.filter(
            channel=OuterRef("channel"),
            event__incident=OuterRef("event__incident"),
            event__number__lt=OuterRef("event__number"),
            state__in=OPEN_STATES,
        )
        waiting = self.filter(state=DeliveryState.PENDING, next_at__lte=now)
        return waiting.exclude(Exists(before)).order_by("next_at", "pk")

    def cut_off(self, before: datetime) -> Self:
        """Those whose sender has not been heard of since."""
        return self.filter(state=DeliveryState.SENDING, claimed_at__lt=before)


class Delivery(models.Model):
    """One event of an incident on its way to one channel; there is never a second one.

    Claimed before it is sent: whoever changes `state` from pending to sending, sends it. `next_at`:
    when it may be tried; `attempts`: how often it was. `note`: why it stands as it does.
    """

    event = models.ForeignKey(AlertEvent, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default="pending")
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    note = models.TextField(default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "channel"], name="alert_delivery_once")
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=["pending", "sending"]),
                name="delivery_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel}: {self.state}"

    def move(self, *states: str, **facts: object) -> bool:
        """Writes the facts if it still is in one of the states; True when it was."""
        rows = Delivery.objects.filter(pk=self.pk, state__in=states)
        is_moved = rows.update(**facts) == 1
        if is_moved:
            for name, value in facts.items():
                setattr(self, name, value)
        return is_moved


class DeliveryAttempt(models.Model):
    """One try of a delivery, written down before it is made. `ended_at` is None while it is under
    way, or if its sender ended amid it; `words` say what came of it, the channel's among them."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    words = models.TextField(default="")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_once")
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"
