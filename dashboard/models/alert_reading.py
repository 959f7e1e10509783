from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

#: A figure that stays the same is noted again so often: an older one says nothing of today.
HEARTBEAT = timedelta(hours=1)


class AlertReading(models.Model):
    """A figure that nothing else remembers, from `at` until the next one of its `subject`: minutes
    since an account was synced, percent left of a budget, instances that are stuck."""

    subject = models.CharField(max_length=400)
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "at"], name="alert_reading_once")]
        indexes = [models.Index(fields=["at"], name="alert_reading_at")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.value}"

    @staticmethod
    def note(values: dict[str, float], *, at: datetime) -> None:
        """Keeps those that differ from the last one of their subject, or were long not noted."""
        latest: dict[str, tuple[float, datetime]] = {}
        rows = AlertReading.objects.filter(subject__in=values, at__gt=at - HEARTBEAT).order_by("at")
        for subject, value, noted_at in rows.values_list("subject", "value", "at"):
            latest[subject] = (value, noted_at)
        changed = [
            AlertReading(subject=subject, at=at, value=value)
            for subject, value in values.items()
            if subject not in latest or (latest[subject][0] != value and latest[subject][1] < at)
        ]
        AlertReading.objects.bulk_create(changed, ignore_conflicts=True)
