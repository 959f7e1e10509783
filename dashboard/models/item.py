from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models
from django.db.models import Count
from django.urls import reverse

from dashboard.models.kept import Kept, KeptForGood
from dashboard.models.list_row import ListRow
from dashboard.models.operation import (
    OPEN_STATES,
    SETTLED_STATES,
    Operation,
    Stage,
    State,
    by_token,
)
from dashboard.models.workflow import Workflow


class ItemQuerySet(models.QuerySet["Item"]):
    def unsettled(self) -> Self:
        """Items that were sent, or may have been, and whose end has not been seen yet."""
        return self.filter(state__in=OPEN_STATES)

    def pending(self) -> Self:
        """Items that nothing was sent for yet, in the order in which they will be."""
        return self.filter(state=State.PENDING).order_by("pk")

    def counts(self) -> dict[uuid.UUID, dict[str, int]]:
        """For each operation, how many of its items are in which state."""
        found: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
        counted = self.order_by().values_list("operation", "state").annotate(number=Count("pk"))
        for operation, state, number in counted:
            found[operation][state] = number
        return found

    def open_on(self, rows: Iterable[ListRow]) -> dict[int, Item]:
        """What is being done, or is still to be done, to these instances: by their keys."""
        keys = {row.item_id: row.pk for row in rows if row.item_id}
        items = self.select_related("operation").in_bulk(keys) if keys else {}
        return {keys[pk]: item for pk, item in items.items()}

    def delete(self) -> NoReturn:
        raise KeptForGood("What was done to an instance is kept for good.")

    def of_instance(self, workflow: Workflow, instance_id: str) -> Self:
        """What was ever asked of this instance, the latest first."""
        return (
            self.filter(workflow=workflow, instance_id=instance_id)
            .select_related("operation__requested_by", "workflow__account")
            .order_by("-pk")
        )


class Item(Kept):
    """An operation's outcome for one instance: what was known before, answered, and seen after.

    `wave` counts from 1; 0 for those that were skipped from the start. `seen_generation`: the
    generation of the instance that the person saw, None when the page did not say. `note` is a
    sentence for people. `before` and `seen` hold the facts the decision was made on. `answer` is
    Cloudflare's own, word for word. `watched_until`: when following it gives up. `arguments`: what
    is asked for this one alone; of a new instance its params and such, and the `line` it stood on.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="items")
    workflow = models.ForeignKey(
        Workflow, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    instance_id = models.CharField(max_length=271)
    wave = models.PositiveSmallIntegerField(default=1)
    seen_generation = models.PositiveIntegerField(null=True)
    arguments = models.JSONField(null=True)
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
            models.UniqueConstraint(
                fields=["operation", "workflow", "instance_id"], name="item_once"
            )
        ]
        indexes = [
            models.Index(fields=["operation", "state", "id"], name="item_by_state"),
            models.Index(fields=["state", "next_look_at"], name="item_to_look_at"),
            models.Index(fields=["instance_id", "-id"], name="item_of_instance"),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} on {self.instance_id}: {self.state}"

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED_STATES

    def write(self, **fields: Any) -> bool:
        """Writes unless it has settled, for that stays as it is. True when it was written."""
        for name, value in fields.items():
            setattr(self, name, value)
        unsettled = Item.objects.filter(pk=self.pk).exclude(state__in=SETTLED_STATES)
        return unsettled.update(**fields) == 1

    @property
    def notice_kind(self) -> str:
        """How a notice shows it: good, info, warning or error."""
        return {State.DONE: "good", State.FAILED: "error", State.ACCEPTED: "info"}.get(
            State(self.state), "warning"
        )

    @property
    def instance_url(self) -> str:
        """The page of its instance."""
        workflow = self.workflow
        return reverse(
            "instance", args=[workflow.account.account_id, workflow.name, self.instance_id]
        )


class StageChange(Kept):
    """Who began, paused, resumed or stopped an operation on many, when and why.

    `changed_by` is None when it did so by itself; `token_name` as in `Operation`.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="changes")
    stage = models.CharField(max_length=16, choices=Stage.choices)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    changed_at = models.DateTimeField()
    token_name = models.CharField(max_length=80, default="", db_default="", blank=True)
    note = models.TextField(default="")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.operation_id}: {self.stage}"

    @property
    def by(self) -> str:
        """Who did so, and through which token; "" when it did so by itself."""
        return by_token(self.changed_by, self.token_name)
