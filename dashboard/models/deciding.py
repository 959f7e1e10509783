"""What people say of groups of failures: each saying is a row that stays, with who and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dashboard.models.error_group import Decision, ErrorGroup, family
from dashboard.models.storing import storable_facts
from dashboard.models.user import User

#: What says how a group stands; the others only stand in its history.
ABOUT_STATE = {Decision.Kind.RESOLVED, Decision.Kind.IGNORED, Decision.Kind.REOPENED}


class CannotMerge(ValueError):
    """These two groups cannot become one; says why in a sentence."""


@transaction.atomic
def decide(
    group: ErrorGroup, kind: Decision.Kind, by: User, *, now: datetime, **facts: Any
) -> Decision:
    """Writes down what somebody says of a group, and lets it stand so."""
    decision = Decision.objects.create(
        group=group, kind=kind, decided_by=by, decided_at=now, **storable_facts(Decision, facts)
    )
    if kind in ABOUT_STATE:
        ErrorGroup.objects.filter(pk=group.pk).update(decision=decision)
    return decision


@transaction.atomic
def merge(group: ErrorGroup, into: ErrorGroup, by: User, *, reason: str, now: datetime) -> None:
    """Lets the group, with all that is merged into it, count as a part of another.

    Raises CannotMerge. Both keep what they counted: `split` takes them apart again.
    """
    both = ErrorGroup.objects.select_for_update().filter(pk__in=[group.pk, into.pk]).order_by("pk")
    rows = {row.pk: row for row in both}
    if group.pk == into.pk or into.pk in family(group.pk):
        raise CannotMerge(_("A group cannot be merged into itself or into a part of it."))
    if len({row.workflow_id for row in rows.values()}) > 1:
        raise CannotMerge(_("Only groups of the same workflow can be merged."))
    if any(row.merged_into_id for row in rows.values()):
        raise CannotMerge(_("One of them is merged into another already; split it off first."))
    ErrorGroup.objects.filter(pk=group.pk).update(merged_into=into)
    for one, other in ((group, into), (into, group)):
        decide(one, Decision.Kind.MERGED, by, now=now, reason=reason, other=other)


@transaction.atomic
def split(group: ErrorGroup, by: User, *, reason: str, now: datetime) -> ErrorGroup | None:
    """Takes the group out of the one it is merged into, which is given; None when it was in none:
    somebody else was faster."""
    row = ErrorGroup.objects.select_for_update().get(pk=group.pk)
    head = row.merged_into
    if head is None:
        return None
    ErrorGroup.objects.filter(pk=row.pk).update(merged_into=None)
    for one, other in ((row, head), (head, row)):
        decide(one, Decision.Kind.SPLIT, by, now=now, reason=reason, other=other)
    return head
