from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.models.kept import Kept, KeptForGood
from dashboard.models.workflow import Workflow

if TYPE_CHECKING:
    from dashboard.models.access import Access
    from dashboard.models.item import Item
    from dashboard.models.user import User


class Kind(models.TextChoices):
    """What a person can ask for."""

    PAUSE = "pause", gettext_lazy("Pause")
    RESUME = "resume", gettext_lazy("Resume")
    RESTART = "restart", gettext_lazy("Restart")
    TERMINATE = "terminate", gettext_lazy("Terminate")
    SEND_EVENT = "send-event", gettext_lazy("Send event")
    CREATE = "create", gettext_lazy("Create")
    DELETE = "delete", gettext_lazy("Delete")


class State(models.TextChoices):
    """How far an operation has come on one instance. A state never goes back, but from `sending` to
    `pending` where it is certain that nothing left.

    `sending` is written before the request leaves, so that after a crash it is known that an answer
    may have been lost; such an item is only ever looked at, never sent again.
    """

    PENDING = "pending", gettext_lazy("Not sent yet")
    SENDING = "sending", gettext_lazy("Sending")
    ACCEPTED = "accepted", gettext_lazy("Accepted, not seen yet")
    LOST = "lost", gettext_lazy("Answer lost")
    DONE = "done", gettext_lazy("Done")
    SKIPPED = "skipped", gettext_lazy("Skipped")
    FAILED = "failed", gettext_lazy("Failed")


#: Something was sent, or may have been, and its end has not been seen yet.
OPEN_STATES = (State.SENDING, State.ACCEPTED, State.LOST)
SETTLED_STATES = (State.DONE, State.SKIPPED, State.FAILED)


class Stage(models.TextChoices):
    """How far the running of an operation on many has come.

    One on a single instance is sent at once, so it is FINISHED from the start. HALTED: too many
    failed, and somebody has to decide; STOPPED: somebody decided that nothing more is sent. New
    instances are first written down from a text (READING), then shown to whoever has to say yes
    (PROPOSED).
    """

    READING = "reading", gettext_lazy("Being written down")
    PROPOSED = "proposed", gettext_lazy("Not begun")
    RUNNING = "running", gettext_lazy("Running")
    PAUSED = "paused", gettext_lazy("Paused")
    HALTED = "halted", gettext_lazy("Stopped itself")
    STOPPED = "stopped", gettext_lazy("Stopped")
    FINISHED = "finished", gettext_lazy("Finished")


#: From where each stage can be reached.
BEFORE = {
    Stage.PROPOSED: (Stage.READING,),
    Stage.RUNNING: (Stage.PROPOSED, Stage.PAUSED, Stage.HALTED),
    Stage.PAUSED: (Stage.RUNNING,),
    Stage.HALTED: (Stage.RUNNING,),
    Stage.STOPPED: (
        Stage.READING,
        Stage.PROPOSED,
        Stage.RUNNING,
        Stage.PAUSED,
        Stage.HALTED,
    ),
    Stage.FINISHED: (Stage.RUNNING, Stage.PAUSED, Stage.HALTED),
}


class OperationQuerySet(models.QuerySet["Operation"]):
    def delete(self) -> NoReturn:
        raise KeptForGood("Operations are kept for good.")

    def seen_by(self, access: Access) -> Self:
        """Those that are about no workflow that the reader may not see."""
        if access.workflows is None:
            return self
        from dashboard.models.item import Item  # It stands above this module.

        its = Item.objects.filter(operation=models.OuterRef("pk")).order_by()
        unseen = models.Exists(its.exclude(access.seen()))
        is_seen = access.seen() | Q(models.Exists(its), workflow=None)
        return self.filter(is_seen, ~Q(unseen))

    def to_run(self, now: datetime) -> Self:
        """Those with something to do now that nobody works on, the longest waiting first."""
        is_free = Q(leased_until=None) | Q(leased_until__lt=now)
        is_due = Q(next_run_at__lte=now) | Q(next_run_at=None, stage=Stage.RUNNING)
        return self.filter(is_free, is_due, is_bulk=True).order_by("next_run_at")


class Operation(Kept):
    """What a person asked for: one action on one or many instances, kept for good.

    `key` comes from the form that was sent: the same form sent twice is one operation. `arguments`
    hold what the action needs (`rollback`, `from`, `without_evidence`, `event_type`, `payload`, …).
    `workflow` is None when it spans several: each item knows its own. `token_name`: the token of
    `requested_by` through which a script asked, "" when they asked themselves.

    The rest is for one on many (`is_bulk`). `list_query`: the address of the list that it was made
    from, "" when the instances were chosen one by one. `stop_above`: the percentage of failures in
    a wave above which it stops itself; items before `judged_from` no longer count, for somebody
    decided to go on. `note`: why it stands where it is, or what it waits for. `next_run_at`: when
    there is something to do again, None when there is not. `leased_until`: until then somebody
    works on it, or still writes it down; an economy, not a lock, for each item is claimed by
    itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.UUIDField(unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    workflow = models.ForeignKey(
        Workflow, on_delete=models.PROTECT, null=True, related_name="operations"
    )
    arguments = models.JSONField(default=dict)
    reason = models.TextField(default="", blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="operations"
    )
    requested_at = models.DateTimeField()
    token_name = models.CharField(max_length=80, default="", db_default="", blank=True)
    is_bulk = models.BooleanField(default=False)
    retry_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="retries"
    )
    list_query = models.TextField(default="")
    stop_above = models.PositiveSmallIntegerField(default=20)
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.FINISHED)
    note = models.TextField(default="")
    judged_from = models.BigIntegerField(null=True)
    next_run_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)

    #: Set by pages that show many: what was done, where it was one instance.
    only_item: Item | None = None

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="operation_newest"),
            models.Index(
                fields=["next_run_at"],
                condition=Q(is_bulk=True),
                name="operation_to_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.requested_by}"

    def get_absolute_url(self) -> str:
        return reverse("operation", args=[self.pk])

    @property
    def asked_by(self) -> str:
        """Who asked for it, and through which token: "alice, by token deploy-bot"."""
        return by_token(self.requested_by, self.token_name)

    def take_lease(self, now: datetime, duration: timedelta) -> bool:
        """True when this caller may work on it until `now + duration`; of two at once one may."""
        mine = Operation.objects.to_run(now).filter(pk=self.pk)
        return mine.update(leased_until=now + duration) == 1

    def keep_lease(self, until: datetime) -> bool:
        """Moves the lease on; False when it runs no longer, so that nothing more may be sent."""
        running = Operation.objects.filter(pk=self.pk, stage=Stage.RUNNING)
        return running.update(leased_until=until) == 1

    def end_lease(self, stage: Stage, *, next_run_at: datetime | None, **fields: Any) -> None:
        """Lets others work on it. What is due next is written only if it is in this stage still:
        whoever has changed that meanwhile knows better."""
        mine = Operation.objects.filter(pk=self.pk)
        if not mine.filter(stage=stage).update(
            leased_until=None, next_run_at=next_run_at, **fields
        ):
            mine.update(leased_until=None)

    def move(
        self, stage: Stage, *, now: datetime, by: User | None = None, note: str = "", **fields: Any
    ) -> bool:
        """Goes to another stage, with a line of who, when and why; False when that cannot be
        reached from where it is. `by` None: by itself."""
        with transaction.atomic():
            reachable = Operation.objects.filter(pk=self.pk, stage__in=BEFORE[stage])
            if not reachable.update(stage=stage, note=note, **fields):
                return False
            through = by.token_name if by else ""
            self.changes.create(
                stage=stage, changed_by=by, token_name=through, changed_at=now, note=note
            )
        self.stage, self.note = stage, note
        return True

    @cached_property
    def in_charge(self) -> User:
        """Who let one on many run, or go on, last: it goes on as long as they may act."""
        began = self.changes.filter(stage=Stage.RUNNING).select_related("changed_by")
        return began.latest("pk").changed_by or self.requested_by

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many items are in which state."""
        found: dict[str, int] = self.items.counts()[self.pk]
        return found

    @property
    def states(self) -> list[tuple[State, int]]:
        """How many items are in which state, in the order of the states."""
        return [(state, self.counts[state]) for state in State if self.counts.get(state)]

    @property
    def number(self) -> int:
        """How many instances it is about."""
        return sum(self.counts.values())

    @property
    def is_live(self) -> bool:
        """True while something may still happen to it."""
        over = {Stage.STOPPED, Stage.FINISHED}
        return self.stage not in over or any(self.counts.get(state) for state in OPEN_STATES)

    @property
    def in_words(self) -> str:
        """What was asked for, with what makes it special: "Restart from “charge card”"."""
        label, arguments = Kind(self.kind).label, self.arguments
        if self.kind == Kind.RESTART:
            return _restart_in_words(arguments)
        if self.kind == Kind.TERMINATE and arguments.get("rollback"):
            return _("Terminate with rollback")
        if self.kind == Kind.SEND_EVENT:
            return f"{label} “{arguments.get('event_type', '')}”"
        if self.kind == Kind.CREATE and (new := arguments.get("instances")):
            # So it was written down before there were batches of any size.
            number = len(new)
            text = ngettext("Create %(number)s instance", "Create %(number)s instances", number)
            return text % {"number": number}
        if self.kind == Kind.CREATE and self.is_bulk:
            source = arguments.get("source")
            if source:
                return _("Create from %(source)s") % {"source": source}
            return _("Create a batch")
        return str(label)


def by_token(user: User | None, token_name: str) -> str:
    """Whose doing something was; "" when it came about by itself."""
    if not token_name:
        return str(user or "")
    return _("%(user)s, by token %(token)s") % {"user": user or "", "token": token_name}


def _restart_in_words(arguments: dict[str, Any]) -> str:
    start, text = arguments.get("from") or {}, _("Restart")
    if start and start.get("count", 1) != 1:
        text = _("Restart from “%(step)s” (number %(number)s)")
    elif start:
        text = _("Restart from “%(step)s”")
    text %= {"step": start.get("name"), "number": start.get("count")}
    if arguments.get("without_evidence"):
        return _("%(restart)s without its evidence") % {"restart": text}
    return text
