"""What happened in each workflow and when, so that a page can tell now from then.

Counted while lists and details are recorded, and never again from instances: a failure that
happened stays counted when its instance is restarted, expires, or is forgotten here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import models

from dashboard.models.workflow import Workflow

PERIOD = timedelta(minutes=5)
#: Periods that ended so long ago are hours, and then days.
HOURS_AFTER = timedelta(days=3)
DAYS_AFTER = timedelta(days=35)


class Periods:
    """Which period a moment falls into, as seen from `now`. Of texts, as SQL writes moments in UTC:
    a thousand rows of a list are looked at in the time that ten datetimes take."""

    def __init__(self, now: datetime) -> None:
        self.days_before, self.hours_before = text(days_before(now)), text(hours_before(now))

    def begin(self, moment: str) -> str:
        """When the period of this moment begins: one of 5 minutes, of an hour, or of a day."""
        if moment < self.days_before:
            return f"{moment[:10]} 00:00:00"
        if moment < self.hours_before:
            return f"{moment[:13]}:00:00"
        return f"{moment[:15]}{'0' if moment[15] < '5' else '5'}:00"

    def begin_all(self, moments: Sequence[str]) -> list[str]:
        """The same of each; as long as the shortest that can tell, many of them are the same."""
        newest = max(moments)
        length = 10 if newest < self.days_before else 13 if newest < self.hours_before else 16
        cut = [moment[:length] for moment in moments]
        found = {one: self.begin(one) for one in set(cut)}
        return [found[one] for one in cut]


def period_of(moment: datetime, now: datetime) -> datetime:
    """The same of a datetime."""
    begin = Periods(now).begin(text(moment.astimezone(UTC)))
    return datetime.fromisoformat(begin).replace(tzinfo=UTC)


def text(moment: datetime) -> str:
    """A UTC moment as both databases read it, without what is below a second."""
    return moment.isoformat(" ")[:19]


def hours_before(now: datetime) -> datetime:
    """Periods that begin before it are hours or days."""
    return (now - HOURS_AFTER).replace(minute=0, second=0, microsecond=0)


def days_before(now: datetime) -> datetime:
    """Periods that begin before it are days."""
    return (now - DAYS_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)


class WorkflowPeriod(models.Model):
    """What was seen to begin and to end in one period, which `begins_on` opens.

    How long it is tells its age: see `Periods`. `version_id` is that of the instances, "" where
    it is not known. An instance counts where Cloudflare says that it was created or ended, else
    where it was last changed, else when we saw it; again for each end after a restart that was
    noticed. `durations`: of the completed, how many took so many milliseconds, as `{"1200": 3}`;
    the times are rounded by at most 1 %. Days keep none: nobody compares them.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="periods")
    begins_on = models.DateTimeField()
    version_id = models.CharField(max_length=64, default="")
    created = models.BigIntegerField(default=0)
    completed = models.BigIntegerField(default=0)
    errored = models.BigIntegerField(default=0)
    terminated = models.BigIntegerField(default=0)
    durations = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "begins_on", "version_id"], name="workflow_period_once"
            )
        ]
        indexes = [models.Index(fields=["begins_on"], name="workflow_period_begins")]

    def __str__(self) -> str:
        return f"{self.workflow_id} at {self.begins_on:%Y-%m-%d %H:%M}"


class CountsThenQuerySet(models.QuerySet["CountsThen"]):
    def note(self, workflow: int, counts: dict[str, int], now: datetime) -> None:
        """Keeps what Cloudflare counts, in place of what it counted earlier in the same minute."""
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        facts = {"counts": counts, "counted_at": now}
        self.update_or_create(workflow_id=workflow, begins_at=minute, defaults=facts)

    def at(self, moment: datetime) -> dict[int, CountsThen]:
        """The last ones before this moment of each workflow, by its key."""
        last = self.filter(workflow=models.OuterRef("pk"), counted_at__lte=moment)
        pks = Workflow.objects.values_list(
            models.Subquery(last.order_by("-counted_at").values("pk")[:1])
        )
        return {row.workflow_id: row for row in self.filter(pk__in=pks)}


class CountsThen(models.Model):
    """Cloudflare's own counts of a workflow as they were from `counted_at` until the next row.

    One row for each minute in which they changed, which `begins_at` opens, with the last ones of
    that minute; of older ones the last of an hour, and then of a day.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="counts_then")
    begins_at = models.DateTimeField()
    counts = models.JSONField()
    counted_at = models.DateTimeField()

    objects = CountsThenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "begins_at"], name="counts_then_once")
        ]
        indexes = [models.Index(fields=["workflow", "-counted_at"], name="counts_then_last")]

    def __str__(self) -> str:
        return f"{self.workflow_id} at {self.counted_at:%Y-%m-%d %H:%M}"


class UncountedPast(models.Model):
    """The instances that were held before history was kept, while they are not counted yet: those
    with keys up to `last_pk`. There is one such row or none. `began_at`: from when on history is
    whole."""

    began_at = models.DateTimeField()
    last_pk = models.BigIntegerField()

    def __str__(self) -> str:
        return f"instances before {self.began_at:%Y-%m-%d %H:%M}"
