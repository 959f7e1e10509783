"""The whole list that a search finds, as a file: written while it is read, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.forms.instance_filters import InstanceFilterForm
from dashboard.forms.old_addresses import translated
from dashboard.models import Instance
from dashboard.models.keyset import pages_of
from dashboard.models.list_row import list_rows
from dashboard.models.matching import Matching
from dashboard.views.exports import csv_file, json_lines
from dashboard.views.guards import access, narrowed
from dashboard.views.limits import FILES, at_most
from dashboard.views.page import HtmxHttpRequest

AT_ONCE = 500
COLUMNS = (
    "account_id", "account", "workflow", "id", "status", "version_id", "trigger", "created_on",
    "started_on", "ended_on", "duration_ms", "error_name", "error_message", "restarts",
    "expired_at", "seen_at",
)  # fmt: skip

Fact = str | int | None


@require_safe
@narrowed
@at_most(FILES, "files")
def instance_export(request: HtmxHttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
    """What the same address without the file's name lists, all pages of it."""
    if kind not in {"csv", "ndjson"}:
        raise Http404(_("A list is exported as csv or ndjson, not as %(form)s.") % {"form": kind})
    now = timezone.now()
    form = InstanceFilterForm(translated(request.GET), now=now, access=access(request))
    if not form.is_valid():
        sentences = [str(text) for texts in form.errors.values() for text in texts]
        return HttpResponse("\n".join(sentences), status=400, content_type="text/plain")
    name = f"instances-{now:%Y-%m-%dT%H%M%SZ}"
    if kind == "csv":
        return csv_file(name, COLUMNS, _facts(form))
    return json_lines(name, (dict(zip(COLUMNS, row, strict=True)) for row in _facts(form)))


def _facts(form: InstanceFilterForm) -> Iterator[list[Fact]]:
    """Each instance in the order of COLUMNS."""
    lists = Matching(Instance.objects.all(), form.filters).lists
    for page in pages_of(lists, list_rows, form.order, size=AT_ONCE):
        for row in page.rows:
            yield [
                *(row.account_id, row.account_name, row.workflow_name, row.instance_id),
                *(row.status, row.version_id, row.trigger),
                *map(_text, (row.created_on, row.started_on, row.ended_on)),
                *(row.duration_ms, row.error_name, row.error_message, row.restarts),
                *map(_text, (row.expired_at, row.seen_at)),
            ]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
