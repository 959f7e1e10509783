from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from dashboard.models.alert_incident import AlertIncident
from dashboard.models.alert_rule import AlertRule
from dashboard.models.user import User
from dashboard.models.workflow import Workflow

WEEK = timedelta(days=7)


class SilenceQuerySet(models.QuerySet["Silence"]):
    def begun(self, now: datetime) -> Self:
        """Those that may hold now; each is asked itself, for some repeat."""
        live = Q(ended_at=None) & (Q(ends_at__gt=now) | Q(is_weekly=True))
        return self.filter(live, starts_at__lte=now).select_related("made_by", "rule", "workflow")

    def to_come_or_on(self, now: datetime) -> Self:
        """Those that hold, or will, the next to end first."""
        return self.filter(Q(ends_at__gt=now) | Q(is_weekly=True), ended_at=None).order_by(
            "ends_at", "pk"
        )


class Silence(models.Model):
    """From `starts_at` to `ends_at` nothing is delivered of what it covers, each week anew when
    `is_weekly`: a silence, or planned in advance, a maintenance window.

    It covers what fits both its rule and its workflow; None fits all. `ended_at`: when a person
    ended it before its time.
    """

    rule = models.ForeignKey(
        AlertRule, on_delete=models.CASCADE, null=True, related_name="silences"
    )
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    is_weekly = models.BooleanField(default=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = SilenceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["starts_at"], condition=Q(ended_at=None), name="alert_silence_live"
            )
        ]

    def __str__(self) -> str:
        return self.reason

    @property
    def is_planned(self) -> bool:
        """A maintenance window: it was made before it starts, or repeats."""
        return self.is_weekly or self.starts_at > self.made_at

    def until(self, now: datetime) -> datetime | None:
        """When it ends, if it holds now; None when it does not."""
        if self.ended_at is not None or now < self.starts_at:
            return None
        turns = (now - self.starts_at) // WEEK if self.is_weekly else 0
        ends_at = self.ends_at + turns * WEEK
        return ends_at if now < ends_at else None

    def covers(self, incident: AlertIncident) -> bool:
        fits_rule = self.rule_id is None or self.rule_id == incident.rule_id
        fits_workflow = self.workflow_id is None or self.workflow_id == incident.workflow_id
        return fits_rule and fits_workflow
