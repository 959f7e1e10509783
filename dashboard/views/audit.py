"""What people did, as files: every action on every instance, or the outcome of one operation."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.forms.audit import AuditForm
from dashboard.models import Item, Operation
from dashboard.views.exports import csv_file, json_file, json_lines
from dashboard.views.guards import access, narrowed
from dashboard.views.limits import FILES, at_most
from dashboard.views.page import HtmxHttpRequest

PIECE = 2000
#: What is told of an item, and where it stands.
ITEM = {
    "account": "workflow__account__account_id",
    "workflow": "workflow__name",
    "instance": "instance_id",
    "state": "state",
    "note": "note",
    "sent_at": "sent_at",
    "answered_at": "answered_at",
    "settled_at": "settled_at",
    "http_status": "http_status",
    "code": "code",
    "answer": "answer",
    "seen": "seen",
    "own_arguments": "arguments",
}
ASKED = {
    "operation": "operation_id",
    "asked_by": "operation__requested_by__username",
    "token": "operation__token_name",
    "asked_at": "operation__requested_at",
    "kind": "operation__kind",
    "arguments": "operation__arguments",
    "reason": "operation__reason",
}


@require_safe
@narrowed
@at_most(FILES, "files")
def audit_export(request: HtmxHttpRequest, form: str) -> HttpResponseBase:
    """All that people did to instances, filtered as the page is: `audit.csv`, `audit.ndjson`."""
    asked = AuditForm(request.GET, access(request))
    found = Operation.objects.seen_by(access(request)).filter(asked.condition)
    if not asked.is_valid():
        raise Http404(_("These filters cannot be read."))
    items = asked.items(found).order_by("-pk")
    match form:
        case "csv":
            columns = ASKED | ITEM
            return csv_file("audit", list(columns), _rows(items, columns))
        case "ndjson":
            return json_lines("audit", _told(items, ASKED | ITEM))
    raise Http404(_("There is no audit in the form “%(form)s”.") % {"form": form[:20]})


@require_safe
@narrowed
@at_most(FILES, "files")
def outcome(request: HtmxHttpRequest, pk: uuid.UUID, form: str) -> HttpResponseBase:
    """What became of each instance of one operation: `outcome.csv`, `outcome.json`."""
    found = Operation.objects.seen_by(access(request)).select_related("requested_by")
    operation = get_object_or_404(found, pk=pk)
    items = operation.items.order_by("pk")
    match form:
        case "csv":
            return csv_file(f"operation-{pk}", list(ITEM), _rows(items, ITEM))
        case "json":
            return json_file(f"operation-{pk}", _head(operation), "items", _told(items, ITEM))
    raise Http404(_("There is no outcome in the form “%(form)s”.") % {"form": form[:20]})


def _head(operation: Operation) -> dict[str, Any]:
    return {
        "operation": operation.pk,
        "asked_by": operation.requested_by.username,
        "token": operation.token_name,
        "asked_at": operation.requested_at,
        "kind": operation.kind,
        "arguments": operation.arguments,
        "reason": operation.reason,
        "list": operation.list_query,
        "retry_of": operation.retry_of_id,
        "stage": operation.stage,
        "stages": [
            {
                "stage": one.stage,
                "at": one.changed_at,
                "by": one.by,
                "why": one.note,
            }
            for one in operation.changes.select_related("changed_by")
        ],
        "counts": operation.counts,
    }


def _rows(items: QuerySet[Item], columns: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    return items.values_list(*columns.values()).iterator(chunk_size=PIECE)


def _told(items: QuerySet[Item], columns: dict[str, str]) -> Iterator[dict[str, Any]]:
    return (dict(zip(columns, row, strict=True)) for row in _rows(items, columns))
