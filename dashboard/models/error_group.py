from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.insight.group_state import Ignored, Resolved
from dashboard.models.addresses import group_address
from dashboard.models.workflow import Workflow


class ErrorGroupQuerySet(models.QuerySet["ErrorGroup"]):
    def heads(self) -> Self:
        """Groups that are not merged into another."""
        return self.filter(merged_into=None)

    def described(self) -> Self:
        """With its workflow and account, and with what was decided last and by whom."""
        return self.select_related("workflow__account", "decision__decided_by")


class ErrorGroup(models.Model):
    """Failures of a workflow with the same fingerprint: one cause, as far as their texts tell.

    `step_name`, `error_name` and `message` are what all have in common; `sample` is the message of
    the newest as it was sent, cut, and `sample_instance` the id of its instance. The moments are of
    Cloudflare's clock. `count` only counts up: a failure stays counted when its instance is
    restarted or forgotten. `merged_into`: somebody said that it is the same cause as that one; what
    is counted is counted here all the same. `decision`: the last one about how it stands.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="error_groups")
    fingerprint = models.CharField(max_length=64)
    step_name = models.CharField(max_length=300, default="")
    error_name = models.CharField(max_length=200, default="")
    message = models.TextField(default="")
    sample = models.TextField(default="")
    sample_instance = models.CharField(max_length=271, default="")
    first_seen_on = models.DateTimeField()
    last_seen_on = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=0)
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="merged"
    )
    decision = models.ForeignKey("Decision", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ErrorGroupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "fingerprint"], name="error_group_once")
        ]
        indexes = [models.Index(fields=["-last_seen_on"], name="error_group_newest")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return group_address(self.pk)

    @property
    def title(self) -> str:
        """Its error in one line."""
        told = ": ".join(part for part in (self.error_name, self.message) if part)
        return told or gettext("No message")


class ErrorGroupHour(models.Model):
    """How many instances of one version failed for a group's cause in the hour that `begins_on`
    opens, and when the last of them did. `version_id` is "" where it was not told."""

    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="hours")
    begins_on = models.DateTimeField()
    version_id = models.CharField(max_length=64, default="")
    count = models.PositiveBigIntegerField(default=0)
    last_seen_on = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "begins_on", "version_id"], name="error_group_hour_once"
            )
        ]
        indexes = [
            models.Index(fields=["begins_on"], name="error_group_hour_oldest"),
            # Holds all that is summed up of hundreds of groups.
            models.Index(fields=["group", "begins_on", "count"], name="error_group_hour_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.count} at {self.begins_on:%Y-%m-%d %H:%M}"


class UngroupedPast(models.Model):
    """The failures that were read before failures were grouped, while they are in no group yet:
    those with keys up to `last_pk`. There is one such row or none."""

    last_pk = models.BigIntegerField()

    def __str__(self) -> str:
        return f"failures up to {self.last_pk}"


class Decision(models.Model):
    """What somebody said of a group, when and why: written once, never changed.

    `version_id`: the one it is resolved in, "" for any. `until_at`, `per_hour`, `further`: what
    ends ignoring it; `counted`: how many failures there were when it was said. `other`: what it was
    merged into, or split from.
    """

    class Kind(models.TextChoices):
        RESOLVED = "resolved", _("Resolved")
        IGNORED = "ignored", _("Ignored")
        REOPENED = "reopened", _("Open again")
        MERGED = "merged", _("Merged")
        SPLIT = "split", _("Split off")
        NOTE = "note", _("Note")

    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reason = models.TextField(default="", blank=True)
    version_id = models.CharField(max_length=64, default="", blank=True)
    until_at = models.DateTimeField(null=True)
    per_hour = models.PositiveIntegerField(null=True)
    further = models.PositiveIntegerField(null=True)
    counted = models.PositiveBigIntegerField(default=0)
    other = models.ForeignKey(ErrorGroup, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-decided_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} at {self.decided_at:%Y-%m-%d %H:%M:%S}"

    def told(self, versions: Mapping[str, datetime | None]) -> Resolved | Ignored | None:
        """What it says of how the group stands; None when nothing. `versions`: when each version of
        the workflow was created."""
        if self.kind == self.Kind.RESOLVED:
            older = self._older(versions) if self.version_id else frozenset()
            return Resolved(self.decided_at, older)
        if self.kind == self.Kind.IGNORED:
            return Ignored(
                self.decided_at, self.counted, self.until_at, self.per_hour, self.further
            )
        return None

    def _older(self, versions: Mapping[str, datetime | None]) -> frozenset[str]:
        """Versions from before the one it is resolved in: they may still fail."""
        begin = versions.get(self.version_id)
        return frozenset(
            version_id
            for version_id, created_on in versions.items()
            if begin and created_on and created_on < begin
        )


def families(groups: Iterable[ErrorGroup]) -> dict[int, list[int]]:
    """For the key of each of these heads, the keys of all groups that are counted with it: itself
    first, then what is merged into it, and into these."""
    heads = [group.pk for group in groups]
    return {pk: family_of(pk, merged) for merged in [_merged()] for pk in heads}


def family(pk: int) -> list[int]:
    """The same for one key, of a group that may not exist."""
    return family_of(pk, _merged())


def family_of(pk: int, merged: dict[int, list[int]]) -> list[int]:
    found = [pk]
    for one in found:
        found += [other for other in merged.get(one, ()) if other not in found]
    return found


def _merged() -> dict[int, list[int]]:
    """By the key of a group, the keys of those that were merged right into it: few."""
    merged: defaultdict[int, list[int]] = defaultdict(list)
    for group in ErrorGroup.objects.exclude(merged_into=None).only("merged_into").order_by("pk"):
        if group.merged_into_id:
            merged[group.merged_into_id].append(group.pk)
    return merged
