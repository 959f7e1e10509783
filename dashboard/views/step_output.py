"""The whole output of a step, and an instance's params and output: to read, or to download.

A download is never opened by a browser: it is an attachment of no type. What Cloudflare streams is
passed on piece by piece, and its connection is closed when the reader goes away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from dashboard import connection
from dashboard.cloudflare import CloudflareError, InstanceDetail, StepOutput, StepType
from dashboard.insight.payload import as_text, payload
from dashboard.models import Instance, Workflow
from dashboard.views.answers import status_of
from dashboard.views.page import HtmxHttpRequest, render_page

#: What a page shows; more of it would freeze a browser.
SHOWN = 400_000
#: Parts of what was last read of an instance; Cloudflare has no other route to them.
PARTS: dict[str, Callable[[InstanceDetail], object]] = {
    "params": lambda detail: detail.params,
    "output": lambda detail: detail.output,
    "answer": lambda detail: detail.raw,
}
_UNSAFE = re.compile(r"[^\w.-]+")


class Download:
    """Bytes on their way from Cloudflare to a reader; Django calls `close` however that ends."""

    def __init__(self, chunks: Iterator[bytes], upstream: ExitStack) -> None:
        self.chunks = chunks
        self.upstream = upstream

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.upstream.close()


@require_GET
def step_output(request: HtmxHttpRequest) -> HttpResponseBase:
    if request.GET.get("part"):
        return _part(request)
    with ExitStack() as upstream:
        try:
            output = upstream.enter_context(_read(request.GET))
        except CloudflareError as failure:
            return _page(request, {"failure": failure}, status=status_of(failure))
        if "download" in request.GET and output.is_binary:
            return _stream(request.GET, output, upstream.pop_all())
        return _answer(request, output)


def _read(query: QueryDict) -> AbstractContextManager[StepOutput]:
    """The output that the address names, once entered."""
    try:
        client = connection.connect(_required(query, "account_id"))
    except connection.UnknownAccount as error:
        raise Http404(str(error)) from error
    return client.get_step(
        _required(query, "workflow_name"),
        _required(query, "instance_id"),
        name=_required(query, "name"),
        type=StepType(_required(query, "type")),
        attempt=_attempt(query),
    )


def _answer(request: HtmxHttpRequest, output: StepOutput) -> HttpResponse:
    if "download" in request.GET:
        return _attachment(request.GET, output.output)
    value = None if output.is_binary else payload(output.output, limit=SHOWN)
    return _page(request, {"output": output, "value": value})


def _part(request: HtmxHttpRequest) -> HttpResponse:
    """An instance's params, output or whole answer, as they were last read."""
    query, part = request.GET, request.GET["part"]
    if part not in PARTS:
        raise BadRequest("`part` is params, output or answer.")
    workflows = Workflow.objects.addressed(
        _required(query, "account_id"), _required(query, "workflow_name")
    )
    instance = Instance.objects.filter(
        workflow__in=workflows, instance_id=_required(query, "instance_id")
    ).first()
    detail = instance.last_detail if instance else None
    if detail is None:
        raise Http404("Nothing is known of this instance here.")
    return _attachment(query, PARTS[part](detail))


def _page(request: HtmxHttpRequest, ctx: dict[str, object], status: int = 200) -> HttpResponse:
    query = request.GET
    address = [query.get(name, "") for name in ("account_id", "workflow_name", "instance_id")]
    download = query.copy()
    download["download"] = "1"
    ctx |= {
        "name": query.get("name", ""),
        "instance_id": address[-1],
        "instance_url": reverse("instance", args=address),
        "download_url": f"{reverse('step-output')}?{download.urlencode()}",
    }
    return render_page(
        request, "instance/step_output.html", fragment="output", ctx=ctx, status=status
    )


def _attachment(query: QueryDict, value: object) -> HttpResponse:
    """JSON, or the text itself where the value is one."""
    ending = "txt" if isinstance(value, str) else "json"
    return HttpResponse(as_text(value).encode("utf-8", "replace"), headers=_headers(query, ending))


def _stream(query: QueryDict, output: StepOutput, upstream: ExitStack) -> StreamingHttpResponse:
    headers = _headers(query, "bin")
    if output.size is not None:
        headers["Content-Length"] = str(output.size)
    return StreamingHttpResponse(Download(output.iter_bytes(), upstream), headers=headers)


def _headers(query: QueryDict, ending: str) -> dict[str, str]:
    """Saved under a harmless name, whatever the step is called, and never shown as a page."""
    parts = (query.get("instance_id", ""), query.get("part") or query.get("name", ""))
    name = "-".join(_UNSAFE.sub("_", part).strip("._")[:80] for part in parts)
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition_header(True, f"{name}.{ending}") or "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def _required(query: QueryDict, name: str) -> str:
    if not (value := query.get(name, "")):
        raise BadRequest(f"`{name}` is missing in the address.")
    return value


def _attempt(query: QueryDict) -> int | None:
    value = query.get("attempt", "")
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or int(value[:6]) < 1:
        raise BadRequest("`attempt` is a number from 1.")
    return int(value[:6])


def step_output_url(instance: Instance) -> str:
    """The address to which a page adds which output of this instance it wants."""
    query = {
        "account_id": instance.workflow.account.account_id,
        "workflow_name": instance.workflow.name,
        "instance_id": instance.instance_id,
    }
    return f"{reverse('step-output')}?{urlencode(query)}"
