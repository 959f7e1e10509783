from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dashboard.models.alert_channel import AlertChannel
from dashboard.models.alert_rule import AlertRule
from dashboard.models.user import User
from dashboard.models.workflow import Workflow

#: Its beginning, or its end, still has to be told.
UNTOLD = Q(resolved_at=None, told_at=None) | Q(
    resolved_at__isnull=False, told_at__isnull=False, resolution_told_at=None
)


class AlertIncidentQuerySet(models.QuerySet["AlertIncident"]):
    def unresolved(self) -> Self:
        return self.filter(resolved_at=None)

    def to_tell(self) -> Self:
        """Those whose beginning, or end, is not yet on its way to any channel, and could be."""
        channels = AlertChannel.objects.present().filter(rules=models.OuterRef("rule"))
        return self.filter(UNTOLD).filter(models.Exists(channels))

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-pk")

    def described(self) -> Self:
        """With what a page names beside it, in the same query."""
        return self.select_related("rule", "workflow__account", "acknowledged_by")


class AlertIncident(models.Model):
    """What a rule found, from when it was found until it was gone: one alert.

    `key` is what it is about, for the rule: of each there is one open incident at a time.
    `began_at`: no later than when its cause began, as far as that was known when it was opened.
    `subject`, `sentence` and `figures` are as last seen, `value` says how bad it was then.
    `fired_at`: when it was last seen so. `told_at`, `resolution_told_at`: when its beginning and
    its end were put on their way to the channels; None while nobody may be told, or there is no
    channel. `told_value`: how bad it was when that was last told.
    """

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="incidents")
    key = models.CharField(max_length=200)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, null=True, related_name="+")
    subject = models.CharField(max_length=200)
    sentence = models.TextField()
    figures = models.JSONField(default=dict)
    value = models.FloatField(default=0)
    began_at = models.DateTimeField(db_default=Now())
    opened_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    told_value = models.FloatField(default=0)
    resolution_told_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.TextField(default="")

    objects = AlertIncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "key"],
                condition=Q(resolved_at=None),
                name="alert_incident_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="alert_incident_newest"),
            models.Index(
                fields=["opened_at"], condition=Q(resolved_at=None), name="alert_incident_open"
            ),
            models.Index(fields=["opened_at"], condition=UNTOLD, name="alert_incident_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("alert", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def lasted(self) -> timedelta | None:
        """From when it was opened until it resolved."""
        return self.resolved_at - self.opened_at if self.resolved_at else None


class AlertEvent(models.Model):
    """One thing that happened to an incident, numbered from 1: what its page lists, and what is
    delivered. Never changed."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("Opened")
        UPDATED = "updated", _("Updated")
        RESOLVED = "resolved", _("Resolved")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")

    incident = models.ForeignKey(AlertIncident, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    happened_at = models.DateTimeField()
    sentence = models.TextField()
    figures = models.JSONField(default=dict)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="alert_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.happened_at:%Y-%m-%d %H:%M:%S}"
