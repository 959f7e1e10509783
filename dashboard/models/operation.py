from __future__ import annotations

import uuid
from collections import Counter
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from dashboard.models.workflow import Workflow


class Kind(models.TextChoices):
    """What a person can ask for."""

    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    RESTART = "restart", "Restart"
    TERMINATE = "terminate", "Terminate"
    SEND_EVENT = "send-event", "Send event"
    CREATE = "create", "Create"


class Operation(models.Model):
    """What a person asked for: one action on one or many instances, kept for good.

    `key` comes from the form that was sent: the same form sent twice is one operation. `arguments`
    hold what the action needs (`rollback`, `from`, `event_type`, `payload`, …).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.UUIDField(unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="operations")
    arguments = models.JSONField(default=dict)
    reason = models.TextField(default="", blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="operations"
    )
    requested_at = models.DateTimeField()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [models.Index(fields=["-requested_at", "-id"], name="operation_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.requested_by}"

    def get_absolute_url(self) -> str:
        return reverse("operation", args=[self.pk])

    @property
    def states(self) -> list[tuple[State, int]]:
        """How many items are in which state."""
        counts = Counter(State(item.state) for item in self.items.all())
        return [(state, counts[state]) for state in State if counts[state]]

    @property
    def in_words(self) -> str:
        """What was asked for, with what makes it special: "Restart from “charge card”"."""
        label, arguments = Kind(self.kind).label, self.arguments
        if self.kind == Kind.RESTART and (start := arguments.get("from")):
            count = f" (number {start['count']})" if start.get("count", 1) != 1 else ""
            return f"{label} from “{start['name']}”{count}"
        if self.kind == Kind.TERMINATE and arguments.get("rollback"):
            return f"{label} with rollback"
        if self.kind == Kind.SEND_EVENT:
            return f"{label} “{arguments.get('event_type', '')}”"
        if self.kind == Kind.CREATE and (new := arguments.get("instances")):
            return f"{label} {len(new)} instance{'s' * (len(new) != 1)}"
        return str(label)


class State(models.TextChoices):
    """How far an operation has come on one instance. A state never goes back.

    `sending` is written before the request leaves, so that after a crash it is known that an answer
    may have been lost; such an item is only ever looked at, never sent again.
    """

    SENDING = "sending", "Sending"
    ACCEPTED = "accepted", "Accepted, not seen yet"
    LOST = "lost", "Answer lost"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"
    FAILED = "failed", "Failed"


OPEN_STATES = (State.SENDING, State.ACCEPTED, State.LOST)


class ItemQuerySet(models.QuerySet["Item"]):
    def unsettled(self) -> Self:
        """Items whose end has not been seen yet."""
        return self.filter(state__in=OPEN_STATES)

    def of_instance(self, workflow: Workflow, instance_id: str) -> Self:
        """What was ever asked of this instance, the latest first."""
        return (
            self.filter(operation__workflow=workflow, instance_id=instance_id)
            .select_related("operation__requested_by", "operation__workflow__account")
            .order_by("-pk")
        )


class Item(models.Model):
    """An operation's outcome for one instance: what was known before, answered, and seen after.

    `note` is a sentence for people. `before` and `seen` hold the facts the decision was made on.
    `answer` is Cloudflare's own, word for word. `watched_until`: when following it gives up.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="items")
    instance_id = models.CharField(max_length=271)
    state = models.CharField(max_length=16, choices=State.choices, default=State.SENDING)
    before = models.JSONField(default=dict)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer = models.JSONField(null=True)
    http_status = models.PositiveIntegerField(null=True)
    code = models.IntegerField(null=True)
    note = models.TextField(default="")
    seen = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    next_look_at = models.DateTimeField(null=True)
    watched_until = models.DateTimeField(null=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "instance_id"], name="item_once")
        ]
        indexes = [
            models.Index(fields=["state", "next_look_at"], name="item_to_look_at"),
            models.Index(fields=["instance_id", "-id"], name="item_of_instance"),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} on {self.instance_id}: {self.state}"

    @property
    def is_settled(self) -> bool:
        return self.state not in OPEN_STATES

    @property
    def notice_kind(self) -> str:
        """How a notice shows it: good, info, warning or error."""
        return {State.DONE: "good", State.FAILED: "error", State.ACCEPTED: "info"}.get(
            State(self.state), "warning"
        )

    @property
    def instance_url(self) -> str:
        """The page of its instance."""
        workflow = self.operation.workflow
        return reverse(
            "instance", args=[workflow.account.account_id, workflow.name, self.instance_id]
        )
