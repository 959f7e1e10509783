from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dashboard.models.instance import Instance
from dashboard.models.storing import storable

#: What was so a minute ago, and nobody has looked at since, may have ended meanwhile.
GOES_ON = timedelta(minutes=1)


class Look(models.Model):
    """How an instance whose page is open is kept current, shared by every process.

    `asked_at`: when somebody last set out to ask Cloudflare. `leased_until`: until then nobody else
    does; None when nobody is at it. `told_at`: when Cloudflare last answered, if only that nothing
    has changed. `trouble`: why it did not the last time, `words` its sentence, `troubled_since`
    when that began.
    """

    class Trouble(models.TextChoices):
        NONE = "", "None"
        MISSING = "missing", _("Cloudflare does not find it")
        WAITING = "waiting", _("The request budget has nothing left for it")
        FAILING = "failing", _("Cloudflare does not answer")

    instance = models.OneToOneField(
        Instance, on_delete=models.CASCADE, primary_key=True, related_name="look"
    )
    asked_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=16, choices=Trouble.choices, default="", blank=True)
    troubled_since = models.DateTimeField(null=True)
    words = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return f"look at {self.instance_id}"

    def take(self, now: datetime, *, not_since: datetime, lease: timedelta) -> bool:
        """True when this caller is the one to ask: nobody has since `not_since`, or does so now.

        A conditional update, so that of all callers in all processes one gets it.
        """
        free = Q(asked_at=None) | Q(asked_at__lt=not_since)
        unleased = Q(leased_until=None) | Q(leased_until__lt=now)
        taken = Look.objects.filter(free, unleased, pk=self.pk)
        return taken.update(asked_at=now, leased_until=now + lease) == 1

    def note_answer(self, now: datetime) -> None:
        """Cloudflare answered."""
        self._write(told_at=now, trouble="", troubled_since=None, words="")

    def note_trouble(self, trouble: Trouble, words: str, now: datetime) -> None:
        """It did not; the same trouble again goes on from when it began."""
        is_going_on = self.trouble == trouble and self.asked_at and now - self.asked_at < GOES_ON
        since = self.troubled_since if is_going_on else now
        self._write(trouble=trouble.value, troubled_since=since or now, words=storable(words))

    def give_back(self) -> None:
        """Lets others ask, whatever became of it."""
        self._write(leased_until=None)

    def _write(self, **fields: object) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        Look.objects.filter(pk=self.pk).update(**fields)
