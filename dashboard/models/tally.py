from __future__ import annotations

from django.db import models

from dashboard.models.workflow import Workflow


class Tally(models.Model):
    """How many of a workflow's instances have a status: kept up by whoever writes instances, in the
    same transaction, because counting millions of rows takes seconds.

    `held`: all rows that are kept. `live`: those of them that have not expired, so that Cloudflare
    still counts them too. `ended`: how often one was seen to end in it since the workflow was first
    seen; it never falls.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="tallies")
    status = models.CharField(max_length=32)
    held = models.BigIntegerField(default=0)
    live = models.BigIntegerField(default=0)
    ended = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "status"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.held} {self.status}"
