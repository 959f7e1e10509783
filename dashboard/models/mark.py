from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dashboard.models.workflow import Workflow


class MarkQuerySet(models.QuerySet["Mark"]):
    def of(self, workflow: Workflow) -> Self:
        """The marks of this workflow, also those that were set before it was deleted and made
        again under its name."""
        return self.filter(account_id=workflow.account_id, workflow_name=workflow.name)

    def by_step(self) -> dict[str, Mark]:
        """Each by the name of the step that it is set on."""
        return {mark.step_name: mark for mark in self}


class Mark(models.Model):
    """What a step does outside its workflow, as the team says once for all its instances.

    `step_name` is the author's, without Cloudflare's counter.
    """

    class Kind(models.TextChoices):
        MOVES_MONEY = "moves-money", _("Moves money")
        SENDS_MESSAGE = "sends-message", _("Sends a message")
        CALLS_OUTSIDE = "calls-outside", _("Calls another system")

    account = models.ForeignKey(
        "dashboard.Account", on_delete=models.CASCADE, related_name="marks", db_index=False
    )
    workflow_name = models.CharField(max_length=64)
    step_name = models.CharField(max_length=300)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    words = models.CharField(max_length=200, default="", blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    objects = MarkQuerySet.as_manager()

    class Meta:
        ordering = ["step_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "workflow_name", "step_name"], name="mark_once_per_step"
            )
        ]

    def __str__(self) -> str:
        return f"{self.step_name}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """What it does, in one line: "moves money: charges the card"."""
        label = str(self.Kind(self.kind).label).lower()
        return f"{label}: {self.words}" if self.words else label
