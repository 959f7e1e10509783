from __future__ import annotations

from typing import Self

from django.db import models
from django.urls import reverse

from dashboard.models.alert_channel import AlertChannel
from dashboard.models.user import User
from dashboard.models.workflow import Workflow


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def present(self) -> Self:
        """Those that nobody has removed, by name."""
        return self.filter(removed_at=None).order_by("name", "pk")

    def switched_on(self) -> Self:
        return self.present().filter(is_on=True)


class AlertRule(models.Model):
    """When an alert is due, and where it is sent.

    `kind` names one of `alerts.kinds`, `terms` is what a person has set of it. `workflow`: the one
    that it watches; None for each by itself. `judged_at`: when it was last held against what is
    known; `leased_until`: until then somebody does so. A rule that was removed stays for its
    incidents.
    """

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=32)
    terms = models.JSONField(default=dict)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, null=True, related_name="+")
    channels = models.ManyToManyField(AlertChannel, related_name="rules")
    is_on = models.BooleanField(default=True)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    judged_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    objects = AlertRuleQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("alert-rule", args=[self.pk])
