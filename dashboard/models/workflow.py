from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.urls import reverse

from dashboard.insight.version_watch import Comparison
from dashboard.models import by_hand
from dashboard.models.account import Account
from dashboard.models.addresses import workflow_address

#: Somebody who looked at a workflow is taken to look at it for so long.
WATCHED_FOR = timedelta(minutes=1)
MARK_EVERY = timedelta(seconds=20)


UNMARKED = """
    SELECT id FROM dashboard_workflow
    WHERE id IN {} AND gone_at IS NULL AND (watched_at IS NULL OR watched_at < {})
"""


@dataclass(frozen=True, slots=True)
class BriefWorkflow:
    """What pages about all workflows need of each: there may be thousands."""

    pk: int
    account: Account
    name: str
    counts: dict[str, int] | None
    gone_at: datetime | None

    def get_absolute_url(self) -> str:
        return workflow_address(self.account.account_id, self.name)


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def present(self) -> Self:
        """Workflows that Cloudflare still lists."""
        return self.filter(gone_at=None)

    def choosable(self) -> Self:
        """By account and name, today's behind those that had the name before."""
        return self.select_related("account").order_by(
            "account__name", "name", models.F("gone_at").asc(nulls_last=True)
        )

    def in_brief(self) -> list[BriefWorkflow]:
        """A fifth of the time that whole ones take."""
        rows = self.values_list("pk", "account", "name", "counts", "gone_at")
        accounts = Account.objects.in_bulk({row[1] for row in rows})
        return [
            BriefWorkflow(pk, accounts[account], name, counts, gone_at)
            for pk, account, name, counts, gone_at in rows
        ]

    def described(self) -> Self:
        """With its account, its number of versions, and the newest of them."""
        newest = (
            Version.objects.filter(workflow=models.OuterRef("pk"))
            .order_by(models.F("created_on").desc(nulls_last=True), "-pk")
            .values("version_id")[:1]
        )
        return self.select_related("account").annotate(
            version_count=models.Count("versions"), newest_version_id=models.Subquery(newest)
        )

    def addressed(self, account_id: str, workflow_name: str) -> Self:
        """The workflows that ever had this name, today's first.

        A workflow that was deleted and made again is another one with the same name.
        """
        return self.filter(account__account_id=account_id, name=workflow_name).order_by(
            models.F("gone_at").desc(nulls_first=True), "-pk"
        )


class Workflow(models.Model):
    """A named definition in the account, as Cloudflare last described it.

    `cloudflare_id` is "" where the target gives none. `counts` (status to number) are Cloudflare's
    own as of `counted_at`; `changed_at`: when they, or `triggered_on`, were last seen to differ.
    `gone_at`: when it was first missing from the list. `walked_through`:
    the newest `created_on` up to which the instance list was read, but for what `gaps` say; None
    until its newest page was first read. `walked_at`: when that page was last read. `watched_at`:
    when somebody last looked at the workflow here. `normals_at`: when it was last worked out how
    long its steps usually take; `normals_through`: up to which row its instances are held to that,
    None when all are.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="workflows")
    name = models.CharField(max_length=64)
    cloudflare_id = models.CharField(max_length=64, default="", blank=True)
    class_name = models.CharField(max_length=255, default="")
    script_name = models.CharField(max_length=255, default="")
    created_on = models.DateTimeField(null=True)
    modified_on = models.DateTimeField(null=True)
    triggered_on = models.DateTimeField(null=True)
    is_script_deleted = models.BooleanField(default=False)
    schedules = models.JSONField(default=list)
    counts = models.JSONField(null=True)
    counted_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)
    walked_through = models.DateTimeField(null=True)
    walked_at = models.DateTimeField(null=True)
    versions_at = models.DateTimeField(null=True)
    watched_at = models.DateTimeField(null=True)
    normals_at = models.DateTimeField(null=True)
    normals_through = models.BigIntegerField(null=True)
    sync_error = models.TextField(default="")

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name", "cloudflare_id"], name="workflow_once_per_account"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return workflow_address(self.account.account_id, self.name)


def mark_watched(workflows: Collection[int], now: datetime) -> None:
    """Notes that somebody looks at the workflows with these keys, as far as Cloudflare still lists
    them; at most one write per workflow in `MARK_EVERY`."""
    if not workflows:
        return
    found = by_hand.rows(UNMARKED, workflows, [by_hand.held(now - MARK_EVERY)])
    if pks := [pk for (pk,) in found]:
        Workflow.objects.filter(pk__in=pks).update(watched_at=now)


class VersionQuerySet(models.QuerySet["Version"]):
    def newest_first(self) -> Self:
        return self.order_by(models.F("created_on").desc(nulls_last=True), "-pk")


def remaining_of(workflow: int, version_id: str) -> dict[str, list[int]]:
    """`Version.remaining`; nothing where the version is not known."""
    known = Version.objects.filter(workflow=workflow, version_id=version_id)
    return known.values_list("remaining", flat=True).first() or {}


class Version(models.Model):
    """One deployed state of a workflow; retentions as Cloudflare writes them.

    `graph`: its diagram as Cloudflare sent it, read at `graph_at`; it never changes. `comparison`:
    how it did against the version before, as JSON, when it was last the newest, at `compared_at`.
    `remaining`: by step, how many completed after it, and the median and p90 of how long they went
    on from its beginning, in ms.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    version_id = models.CharField(max_length=64)
    class_name = models.CharField(max_length=255, default="")
    language = models.CharField(max_length=32, default="")
    has_dag = models.BooleanField(default=False)
    created_on = models.DateTimeField(null=True)
    modified_on = models.DateTimeField(null=True)
    concurrency_limit = models.PositiveBigIntegerField(null=True)
    step_limit = models.PositiveBigIntegerField(null=True)
    success_retention = models.CharField(max_length=64, default="")
    error_retention = models.CharField(max_length=64, default="")
    graph = models.JSONField(null=True)
    graph_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField()
    comparison = models.JSONField(null=True)
    remaining = models.JSONField(default=dict)
    compared_at = models.DateTimeField(null=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "version_id"], name="version_once")
        ]

    def __str__(self) -> str:
        return self.version_id

    def get_absolute_url(self) -> str:
        workflow = self.workflow
        return reverse(
            "version", args=[workflow.account.account_id, workflow.name, self.version_id]
        )

    @property
    def compared(self) -> Comparison | None:
        """How it did against the version before; None where that was never compared."""
        return Comparison.of_json(self.comparison) if self.comparison else None
