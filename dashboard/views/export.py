"""The whole list that a search finds, as a file: written while it is read, whatever its size."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.forms.instance_filters import InstanceFilterForm
from dashboard.models import Instance
from dashboard.models.keyset import pages_of
from dashboard.models.matching import Matching
from dashboard.views.page import HtmxHttpRequest

AT_ONCE = 500
COLUMNS = (
    "account_id", "account", "workflow", "id", "status", "version_id", "trigger", "created_on",
    "started_on", "ended_on", "duration_ms", "error_name", "error_message", "restarts",
    "expired_at", "seen_at",
)  # fmt: skip
#: A spreadsheet takes a text that begins so for a formula, and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Fact = str | int | None


@require_safe
def instance_export(request: HtmxHttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
    """What the same address without the file's name lists, all pages of it."""
    if kind not in WRITERS:
        raise Http404(f"A list is exported as csv or ndjson, not as {kind}.")
    now = timezone.now()
    form = InstanceFilterForm(request.GET, now=now)
    if not form.is_valid():
        sentences = [str(text) for texts in form.errors.values() for text in texts]
        return HttpResponse("\n".join(sentences), status=400, content_type="text/plain")
    content_type, write = WRITERS[kind]
    response = StreamingHttpResponse(_in_pieces(write(_facts(form))), content_type=content_type)
    name = f"instances-{now:%Y-%m-%dT%H%M%SZ}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _facts(form: InstanceFilterForm) -> Iterator[list[Fact]]:
    """Each instance in the order of COLUMNS."""
    lists = Matching(Instance.objects.all(), form.filters).lists
    for page in pages_of(lists, Instance.objects.in_order_of, form.order, size=AT_ONCE):
        for row in page.rows:
            account = row.workflow.account
            yield [
                *(account.account_id, account.name, row.workflow.name, row.instance_id),
                *(row.status, row.version_id, row.trigger),
                *map(_text, (row.created_on, row.started_on, row.ended_on)),
                *(row.duration_ms, row.error_name, row.error_message, row.restarts),
                *map(_text, (row.expired_at, row.seen_at)),
            ]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


class _Line:
    """What csv writes a line into: it is passed on at once."""

    def write(self, text: str) -> str:
        return text


def _in_pieces(lines: Iterator[str]) -> Iterator[str]:
    """Many lines at once: each piece is a write to the network."""
    return iter(lambda: "".join(islice(lines, AT_ONCE)), "")


def _csv(rows: Iterable[list[Fact]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in rows:
        yield writer.writerow(map(_harmless, row))


def _harmless(fact: Fact) -> Fact:
    """A text that no spreadsheet runs: an apostrophe says that it is none."""
    return f"'{fact}" if isinstance(fact, str) and fact.startswith(FORMULA) else fact


def _ndjson(rows: Iterable[list[Fact]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n"


WRITERS: dict[str, tuple[str, Callable[[Iterable[list[Fact]]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "ndjson": ("application/x-ndjson", _ndjson),
}
