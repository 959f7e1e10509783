from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dashboard.cloudflare import types
from dashboard.models import kept_answer
from dashboard.models.kept_answer import KeptAnswer
from dashboard.models.storing import storable_facts
from dashboard.models.workflow import Workflow

if TYPE_CHECKING:
    from dashboard.models.instance import Instance, InstanceDetail

logger = logging.getLogger(__name__)

#: So few that nobody waits while they are deleted.
PIECE = 100
#: Also counts those whose row was forgotten, so that its limit is that of what is read.
KEPT = (
    "SELECT told.id FROM"
    " (SELECT DISTINCT workflow_id, instance_id FROM dashboard_snapshot LIMIT %s) AS kept"
    " LEFT JOIN dashboard_instance AS told"
    " ON told.workflow_id = kept.workflow_id AND told.instance_id = kept.instance_id"
)


class Why(models.TextChoices):
    """What a snapshot was taken for."""

    RESTART = "restart", _("before a restart")
    OVERWRITTEN = "overwritten", _("before newer facts replaced it")
    ERRORED = "errored", _("when it was first seen errored")
    EXPIRING = "expiring", _("before Cloudflare deletes it")
    WHOLE = "whole", _("to add outputs that Cloudflare had cut")
    PINNED = "pinned", _("because somebody asked for it")


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def of_instance(self, workflow: Workflow, instance_id: str) -> Self:
        """Everything kept of this instance, the oldest first, without the bodies."""
        return (
            self.filter(workflow=workflow, instance_id=instance_id)
            .defer("body")
            .order_by("generation", "taken_at", "pk")
        )

    def of_generation(self, instance: Instance) -> Self:
        """What is kept of the instance as it is now, not of an earlier start."""
        return self.filter(
            workflow=instance.workflow_id,
            instance_id=instance.instance_id,
            generation=instance.generation,
        )

    def keep(
        self,
        known: InstanceDetail,
        why: Why,
        *,
        now: datetime,
        outputs: dict[str, types.Json] | None = None,
        missing: dict[str, str] | None = None,
        retry_at: datetime | None = None,
    ) -> Snapshot:
        """Keeps what was last read of an instance; what is kept already is not kept twice."""
        content = KeptAnswer(known.result, known.outputs_are_text, outputs or {}, missing or {})
        document = kept_answer.written(content.document)
        row, detail = known.instance, content.detail
        error = detail.error or types.ErrorDetail("", "")
        snapshot, _ = self.get_or_create(
            workflow_id=row.workflow_id,
            instance_id=row.instance_id,
            generation=known.generation,
            digest=kept_answer.digest(document),
            defaults=storable_facts(
                Snapshot,
                {
                    "why": why.value,
                    "taken_at": now,
                    "read_at": known.read_at,
                    "status": detail.status.value,
                    "version_id": detail.version_id,
                    "step_count": len(detail.steps),
                    "error_name": error.name,
                    "error_message": error.message,
                    "missing_count": len(content.missing),
                    "retry_at": retry_at,
                    "size": len(document),
                },
            )
            | {"body": kept_answer.pack(document)},
        )
        return snapshot

    def try_to_keep(
        self,
        known: InstanceDetail,
        why: Why,
        *,
        now: datetime,
        retry_at: datetime | None = None,
    ) -> None:
        """Keeps it on the way: where that fails it is logged, and what is under way goes on."""
        try:
            with transaction.atomic():
                self.keep(known, why, now=now, retry_at=retry_at)
        except DatabaseError:
            logger.exception("Generation %s of %s is not kept", known.generation, known.instance)


class Snapshot(models.Model):
    """A whole instance as Cloudflare told it at `read_at`: written once, never changed.

    Belongs to the instance's id, not to its row: it stays when the row is forgotten. `digest` is
    the SHA-256 of `document`, of `size` bytes. `missing_count`: outputs that Cloudflare had cut and
    that are not here whole; at `retry_at` they are asked for again, into a snapshot of their own.
    Only `pinned_…` and `retry_at` ever change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="snapshots")
    instance_id = models.CharField(max_length=271)
    generation = models.PositiveIntegerField()
    why = models.CharField(max_length=16, choices=Why.choices)
    taken_at = models.DateTimeField()
    read_at = models.DateTimeField()
    status = models.CharField(max_length=32)
    version_id = models.CharField(max_length=64, default="")
    step_count = models.PositiveIntegerField()
    error_name = models.CharField(max_length=200, default="")
    error_message = models.TextField(default="")
    missing_count = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    body = models.BinaryField()
    pinned_at = models.DateTimeField(null=True)
    pinned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="pins"
    )

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "instance_id", "generation", "digest"], name="snapshot_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["retry_at"],
                condition=models.Q(retry_at__isnull=False),
                name="snapshot_to_complete",
            ),
            models.Index(fields=["taken_at"], name="snapshot_oldest"),
        ]

    def __str__(self) -> str:
        return f"generation {self.generation} of {self.instance_id}"

    def get_absolute_url(self) -> str:
        """The permalink: it shows the same for as long as the snapshot is kept."""
        return reverse("snapshot", args=[self.pk])

    @cached_property
    def document(self) -> bytes:
        """Everything that is kept, as it was written: its digest is `digest`."""
        return kept_answer.unpack(self.body)

    @cached_property
    def kept(self) -> KeptAnswer:
        return KeptAnswer.of_document(json.loads(self.document))

    @property
    def is_pinned(self) -> bool:
        return self.pinned_at is not None

    @property
    def instance_url(self) -> str:
        """The live page of its instance."""
        return reverse(
            "instance",
            args=[self.workflow.account.account_id, self.workflow.name, self.instance_id],
        )


def kept_instances(limit: int) -> set[int] | None:
    """The keys of the instances of which something is kept; None when it is of more than `limit`
    that it is."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT, [limit + 1])
        found = cursor.fetchall()
    return {pk for (pk,) in found if pk is not None} if len(found) <= limit else None


def latest_by_generation(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """One for each generation: what was kept last of it tells most."""
    return list({snapshot.generation: snapshot for snapshot in snapshots}.values())


def prune_snapshots(*, before: datetime, is_time_up: Callable[[], bool]) -> int:
    """Forgets snapshots that were taken before, unless pinned, until none is left or the time is
    up. Returns how many."""
    old = Snapshot.objects.filter(taken_at__lt=before, pinned_at=None).order_by("taken_at")
    total = 0
    while not is_time_up() and (keys := list(old.values_list("pk", flat=True)[:PIECE])):
        # Asked again while deleting: one may have been pinned in between.
        deleted, _ = Snapshot.objects.filter(pk__in=keys, pinned_at=None).delete()
        total += deleted
    return total
