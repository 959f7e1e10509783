from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Case, Count, ExpressionWrapper, F, Q, When
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dashboard.cloudflare import parsing, types
from dashboard.cloudflare.events import ENDS, FAILURES
from dashboard.cloudflare.types import FINISHED, Status
from dashboard.models.addresses import instance_address
from dashboard.models.error_group import ErrorGroup
from dashboard.models.filters import InstanceFilters
from dashboard.models.keyset import Cursor
from dashboard.models.late import STUCK, UNCONFIRMED
from dashboard.models.matching import Matching
from dashboard.models.workflow import Workflow

_TELLS_OF_END = Q(hint__in=ENDS | FAILURES)
#: A list has shown, since the hint, what the event told; or the instance itself was read.
HINT_IS_SETTLED = Q(read_at__gte=F("hinted_at")) | (
    Q(status_seen_at__gte=F("hinted_at"))
    & ((_TELLS_OF_END & Q(status__in=FINISHED)) | (~_TELLS_OF_END & ~Q(status__in=FINISHED)))
)

#: The detail was not read since the present status was first seen.
UNREAD = Q(read_at=None) | Q(read_at__lt=F("status_seen_at"))
#: Written as the condition of its index, so that both databases find it there.
ERRORED_UNREAD = Q(status="errored", expired_at=None) & UNREAD


#: What is stuck is looked at again so often, to see it go on.
STUCK_EVERY = timedelta(minutes=1)


class InstanceQuerySet(models.QuerySet["Instance"]):
    def unfinished(self) -> Self:
        """Instances that Cloudflare still holds and that may go on by themselves."""
        return self.exclude(status__in=FINISHED).filter(expired_at=None)

    def without_read(self) -> Self:
        """Instances whose detail was not read since their present status was first seen."""
        return self.filter(expired_at=None).filter(UNREAD)

    def left(self) -> Self:
        """Instances that the lists no longer show where they should: they ended, moved on, or are
        gone, and nobody has looked since."""
        return self.filter(left_at__isnull=False, expired_at=None)

    def stuck(self) -> Self:
        """Instances that were seen where they stand after they should have gone on."""
        return self.filter(STUCK)

    def stuck_at_last(self, now: datetime) -> Self:
        """Instances that were stuck when they were last read, which is a while ago: that first."""
        return self.stuck().filter(read_at__lte=now - STUCK_EVERY).order_by("read_at", "pk")

    def late(self, now: datetime) -> Self:
        """Instances that should have gone on since they were read: whether they have is not known.
        The longest overdue first."""
        return self.filter(UNCONFIRMED, expected_by__lte=now).order_by("expected_by", "pk")

    def among(self, workflows: Collection[int]) -> Self:
        """Those of these workflows, where another index is to be read from its start: the column
        itself would tempt the planner to read all rows of the workflows."""
        home = ExpressionWrapper(F("workflow_id") + 0, output_field=models.BigIntegerField())
        return self.alias(home=home).filter(home__in=list(workflows))

    def hinted(self) -> Self:
        """Instances that an event says to look at and nobody has looked at since.

        Failures first, then the longest waiting.
        """
        return (
            self.filter(hinted_at__isnull=False, expired_at=None)
            .exclude(HINT_IS_SETTLED)
            .order_by(Case(When(hint__in=FAILURES, then=0), default=1), "hinted_at", "pk")
        )

    def with_settled_hint(self) -> Self:
        """Instances whose hint has come true, or never will."""
        return self.filter(hinted_at__isnull=False).filter(
            HINT_IS_SETTLED | Q(expired_at__isnull=False)
        )

    def matching(self, filters: InstanceFilters) -> InstanceQuerySet:
        """Those that fit the filters, in no order."""
        return Matching(self, filters).rows

    def between(self, after: Cursor | None, until: Cursor | None) -> Self:
        """Those that stand after one place in their order and before another."""
        between = self.filter(after.later()) if after else self
        return between.filter(until.earlier()) if until else between

    def counts_by_status(self) -> dict[str, int]:
        """How many there are of each status. Counted here and now: not for millions of rows."""
        counted = self.order_by().values_list("status").annotate(number=Count("pk"))
        return dict(counted)

    def newest_first(self) -> Self:
        return self.order_by("-created_on", "-pk")

    def errored_first(self) -> Self:
        """The errored ones, then all others; the newest of each first."""
        return self.order_by(
            Case(When(status=Status.ERRORED, then=0), default=1), "-created_on", "-pk"
        )

    def longest_unread_first(self) -> Self:
        """Those whose detail never was read, then those whose was read the longest ago."""
        return self.order_by(F("read_at").asc(nulls_first=True), "pk")

    def with_workflow(self) -> Self:
        """With what a row of a page shows of its workflow and account, in the same query."""
        return self.select_related("workflow__account").defer("workflow__counts")


class Instance(models.Model):
    """One execution of a workflow: the list row, and what its detail told when it was last read.

    Facts of Cloudflare end in `_on`, ours in `_at`. `seen_at`: when Cloudflare last spoke of it.
    `read_at` / `read_on`: when its detail was last read, by our clock and by Cloudflare's.
    `generation` counts up with each restart or reused id that was noticed. `expired_at`: when
    Cloudflare first said that it is gone; the row is kept. `duration_ms` is set once it ended.
    `status_seen_at`: when its present status was first seen here. `is_listed`: a list has shown it;
    until then `created_on` is a guess from its detail. `hint`: the kind of an event of which we
    heard at `hinted_at` and which the row does not show yet; it only says where to look. `left_at`:
    when the list of its status was first seen without it; None again once anything shows it.
    `phase`, `current_step`, `attempts`, `due_on` and `at_work_on` are its standing when its detail
    was last read; empty again as soon as its status is seen to have changed. `expected_by`: when it
    is late there, by what is usual or by its own clock; None where nobody can tell. `error_group`:
    where the failure of its present start is counted; None until its detail was read, and again
    once it began anew.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="instances")
    instance_id = models.CharField(max_length=271)
    status = models.CharField(max_length=32)
    version_id = models.CharField(max_length=64, default="")
    trigger = models.CharField(max_length=32, default="unknown")
    created_on = models.DateTimeField()
    modified_on = models.DateTimeField(null=True)
    queued_on = models.DateTimeField(null=True)
    started_on = models.DateTimeField(null=True)
    ended_on = models.DateTimeField(null=True)
    duration_ms = models.BigIntegerField(null=True)
    error_name = models.CharField(max_length=200, default="")
    error_message = models.TextField(default="")
    step_count = models.PositiveBigIntegerField(null=True)
    generation = models.PositiveIntegerField(default=1)
    is_listed = models.BooleanField(default=True)
    seen_at = models.DateTimeField()
    status_seen_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    read_on = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    hinted_at = models.DateTimeField(null=True)
    hint = models.CharField(max_length=32, default="")
    left_at = models.DateTimeField(null=True)
    phase = models.CharField(max_length=32, default="")
    current_step = models.CharField(max_length=300, default="")
    attempts = models.PositiveIntegerField(null=True)
    due_on = models.DateTimeField(null=True)
    error_group = models.ForeignKey(
        ErrorGroup, on_delete=models.SET_NULL, null=True, related_name="instances", db_index=False
    )
    at_work_on = models.DateTimeField(null=True)
    expected_by = models.DateTimeField(null=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "instance_id"], name="instance_once")
        ]
        indexes = [
            models.Index(fields=["-created_on", "-id"], name="instance_newest"),
            models.Index(fields=["status", "-created_on", "-id"], name="instance_status_newest"),
            models.Index(
                fields=["workflow", "-created_on", "-id"], name="instance_workflow_newest"
            ),
            models.Index(
                fields=["workflow", "status", "-created_on", "-id"],
                name="instance_workflow_status",
            ),
            models.Index(
                fields=["workflow", "hinted_at"],
                condition=Q(hinted_at__isnull=False),
                name="instance_hinted",
            ),
            models.Index(
                fields=["workflow", "-read_at"],
                condition=Q(read_at__isnull=False),
                name="instance_read",
            ),
            models.Index(
                fields=["workflow", "-created_on", "-id"],
                condition=Q(left_at__isnull=False),
                name="instance_left",
            ),
            models.Index(
                # The status is in it for SQLite, which else takes the index above.
                fields=["workflow", "status", "-created_on", "-id"],
                condition=ERRORED_UNREAD,
                name="instance_errored_unread",
            ),
            models.Index(
                fields=["phase", "-created_on", "-id"],
                condition=~Q(phase=""),
                name="instance_phase_newest",
            ),
            models.Index(
                fields=["error_group", "status", "-created_on", "-id"],
                condition=Q(error_group__isnull=False),
                name="instance_group_status",
            ),
            models.Index(
                fields=["due_on", "workflow", "phase"],
                condition=Q(due_on__isnull=False, expired_at=None),
                name="instance_wakes",
            ),
            models.Index(
                fields=["workflow", "due_on", "phase"],
                condition=Q(due_on__isnull=False, expired_at=None),
                name="instance_workflow_wakes",
            ),
            models.Index(fields=["-created_on", "-id"], condition=STUCK, name="instance_stuck"),
            models.Index(fields=["read_at"], condition=STUCK, name="instance_stuck_read"),
            models.Index(fields=["expected_by"], condition=UNCONFIRMED, name="instance_late"),
            models.Index(
                fields=["workflow", "id"],
                condition=Q(at_work_on__isnull=False),
                name="instance_at_work",
            ),
        ]

    def __str__(self) -> str:
        return self.instance_id

    def get_absolute_url(self) -> str:
        """The permalink: the link that people share."""
        workflow = self.workflow
        return instance_address(workflow.account.account_id, workflow.name, self.instance_id)

    @cached_property
    def last_detail(self) -> types.InstanceDetail | None:
        """The detail that was last read, with its steps; None when none ever was.

        Whoever has just read it has put it here: ten thousand steps are not parsed twice.
        """
        kept = InstanceDetail.objects.filter(instance=self).first()
        return kept.parse() if kept else None

    @property
    def is_finished(self) -> bool:
        return Status(self.status).is_finished

    @property
    def is_live(self) -> bool:
        """True while it may change by itself and Cloudflare still holds it."""
        return not self.is_finished and self.expired_at is None


class InstanceDetail(models.Model):
    """The last whole answer about an instance, so that a page can tell what was known.

    Kept compressed: `result` is the `result` object exactly as Cloudflare sent it. `generation`:
    the instance's when it was read. `changed_at`: since when it is this one, word for word; None
    where it was kept before that was noted.
    """

    instance = models.OneToOneField(
        Instance, on_delete=models.CASCADE, primary_key=True, related_name="kept_detail"
    )
    read_at = models.DateTimeField()
    generation = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(null=True)
    outputs_are_text = models.BooleanField()
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"detail of {self.instance_id}"

    @staticmethod
    def pack(result: types.Json) -> bytes:
        return zlib.compress(json.dumps(result, separators=(",", ":")).encode(), level=1)

    @property
    def result(self) -> types.Json:
        loaded: types.Json = json.loads(zlib.decompress(bytes(self.body)))
        return loaded

    def parse(self) -> types.InstanceDetail:
        """The answer in normal form, as the client reads it."""
        return parsing.instance_detail(self.result, outputs_are_text=self.outputs_are_text)


class Change(models.Model):
    """What was noticed of an instance that its row alone no longer tells, with the row before."""

    class Kind(models.TextChoices):
        RESTARTED = "restarted", _("Restarted")
        REUSED = "reused", _("Id used again")
        EXPIRED = "expired", _("No longer at Cloudflare")
        RETURNED = "returned", _("At Cloudflare again")

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    noticed_at = models.DateTimeField()
    generation = models.PositiveIntegerField()
    before = models.JSONField(default=dict)

    class Meta:
        ordering = ["-noticed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} at {self.noticed_at:%Y-%m-%d %H:%M:%S}"


def facts_of(instance: Instance) -> dict[str, str | int | None]:
    """The row's facts in a form that JSON holds: what `Change.before` keeps."""

    def text(value: datetime | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "status": instance.status,
        "version_id": instance.version_id,
        "trigger": instance.trigger,
        "created_on": text(instance.created_on),
        "modified_on": text(instance.modified_on),
        "queued_on": text(instance.queued_on),
        "started_on": text(instance.started_on),
        "ended_on": text(instance.ended_on),
        "error_name": instance.error_name,
        "error_message": instance.error_message,
        "step_count": instance.step_count,
    }
