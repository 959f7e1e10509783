"""The params to begin a new instance with: those that were used last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from dashboard.models import Instance, InstanceDetail, Operation, Workflow
from dashboard.models.operation import Kind
from dashboard.models.storing import storable

#: So many of the details read last are looked into.
DETAILS = 5
#: Longer params are not copied into a form.
LONGEST = 64 * 1024


@dataclass(frozen=True)
class Start:
    """Params as JSON to begin with, and whose they are: an operation's or an instance's."""

    params: str
    operation: Operation | None = None
    instance: Instance | None = None


def start_of(workflow: Workflow, query: QueryDict) -> Start | None:
    """What the form begins with: the params of the instance that `like` names, of none if that is
    empty; else those that somebody created one with last, or of the instance read last."""
    if "like" in query:
        wanted = Instance.objects.filter(
            workflow=workflow, instance_id=storable(query.get("like", ""))
        )
        return _of_details(InstanceDetail.objects.filter(instance__in=wanted))
    return _of_operation(workflow) or _of_details(
        InstanceDetail.objects.filter(
            instance__workflow=workflow, instance__read_at__isnull=False
        ).order_by("-instance__read_at")
    )


def _of_operation(workflow: Workflow) -> Start | None:
    asked = workflow.operations.filter(kind=Kind.CREATE, is_bulk=False)
    latest = asked.select_related("requested_by").order_by("-requested_at").first()
    text = _as_text(latest.arguments.get("params")) if latest else ""
    return Start(text, operation=latest) if text else None


def _of_details(details: Any) -> Start | None:
    for kept in details.select_related("instance__workflow__account")[:DETAILS]:
        detail = kept.parse()
        text = "" if detail.is_params_truncated else _as_text(detail.params)
        if text:
            return Start(text, instance=kept.instance)
    return None


def _as_text(params: Any) -> str:
    """As it would be typed; "" for none, and for what is too long."""
    text = "" if params is None else json.dumps(params, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST else ""
