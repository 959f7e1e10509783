from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models

from dashboard.models.account import Account
from dashboard.models.workflow import Workflow


class StepHour(models.Model):
    """What events told of one step in one hour, which `begins_on` opens.

    `step_name` is the author's, without Cloudflare's counter; "" stands for all names beyond the
    number that is kept apart. `version_id` is that of the instances, "" where it is not known.
    `durations`: of the steps that succeeded, how many took so many milliseconds, as
    `{"1200": 3}`; the times are rounded by at most 1 %. Events are sampled: there were at least as
    many as are counted here. After some days the first hour of a day stands for the whole day.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="step_hours")
    begins_on = models.DateTimeField()
    step_name = models.CharField(max_length=255)
    version_id = models.CharField(max_length=64, default="")
    succeeded = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    failed_attempts = models.PositiveBigIntegerField(default=0)
    durations = models.JSONField(default=dict)
    last_failed_on = models.DateTimeField(null=True)
    last_failed_in = models.CharField(max_length=271, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "begins_on", "step_name", "version_id"], name="step_hour_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.step_name} at {self.begins_on:%Y-%m-%d %H:%M}"

    def add(self, later: Self) -> None:
        """Adds what was counted in another hour."""
        self.succeeded += later.succeeded
        self.failed += later.failed
        self.failed_attempts += later.failed_attempts
        for took, number in later.durations.items():
            self.durations[took] = self.durations.get(took, 0) + number
        if later.last_failed_on:
            self.last_failed_on, self.last_failed_in = later.last_failed_on, later.last_failed_in


class FailedAttempt(models.Model):
    """An attempt of which an event told that it failed. `duration_ms` is None where it did not say.

    Only some of each step are kept, and none for longer than `pruning` says; all are counted in
    StepHour. The instance may be one that is not known here.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="failed_attempts")
    step_name = models.CharField(max_length=255)
    instance_id = models.CharField(max_length=271)
    failed_on = models.DateTimeField()
    duration_ms = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workflow", "failed_on"], name="failed_attempt_newest")]

    def __str__(self) -> str:
        return f"{self.step_name} of {self.instance_id}"


class StepFeed(models.Model):
    """How the reading of an account's step events goes.

    `laid_through`: every moment before it has been read, or stands in an UnreadStretch, or was
    older than Cloudflare keeps. `read_at`: when the last run came through; `error`: what stopped
    it, "" when nothing did. `next_at`: when the next is due; while somebody reads, when somebody
    else may.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="step_feed")
    laid_through = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    def __str__(self) -> str:
        return f"step events of {self.account_id}"

    @classmethod
    def of(cls, account: Account) -> Self:
        """That of the account; made where missing."""
        return cls.objects.get_or_create(account=account)[0]

    def unread(self, since: datetime) -> timedelta:
        """How much of the time from `since` on has events that were not read yet."""
        stretches = UnreadStretch.objects.filter(account=self.account_id, until__gt=since)
        return sum((one.until - max(one.since, since) for one in stretches), timedelta())


class UnreadStretch(models.Model):
    """A stretch of time in whole seconds, `since <= t < until`, whose step events are unread."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="unread_stretches")
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["-until"]
        indexes = [models.Index(fields=["account", "-until"], name="unread_stretch_newest")]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} to {self.until:%Y-%m-%d %H:%M:%S}"
