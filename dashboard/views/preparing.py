"""What a form on one instance shows above its fields, and begins with."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from dashboard.forms.operations import OperationForm
from dashboard.models import Instance
from dashboard.models.operation import Kind
from dashboard.views.preflight import RestartPreflight
from dashboard.views.sending import Sending


def chosen_before(kind: Kind, instance: Instance, query: QueryDict) -> dict[str, Any]:
    """What the address of the form, or the instance itself, says of its fields."""
    if kind is Kind.RESTART:
        return {"restart_from": query.get("restart_from", "")}
    if kind is Kind.SEND_EVENT:
        awaited = Sending(instance, "").awaited
        event_type = query.get("event_type", awaited[0] if awaited else "")
        return {"event_type": event_type, "payload": Sending(instance, event_type).begin(query)}
    return {}


def prepared(kind: Kind, instance: Instance, form: OperationForm) -> dict[str, Any]:
    """What its template shows: nothing for most kinds."""
    if kind is Kind.RESTART:
        return {"preflight": RestartPreflight(instance, form["restart_from"].value() or "")}
    if kind is Kind.SEND_EVENT:
        return {"sending": Sending(instance, form["event_type"].value() or "")}
    return {}
