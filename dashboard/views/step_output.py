"""The whole output of a step, and parts of what was last read of an instance: to read, or as files.

What Cloudflare streams is passed on piece by piece, and its connection is closed when the reader
goes away.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dashboard import connection
from dashboard.cloudflare import CloudflareError, InstanceDetail, StepOutput, StepType
from dashboard.insight import words
from dashboard.insight.payload import payload
from dashboard.insight.step_rows import error_text
from dashboard.models import Instance, Workflow
from dashboard.views.answers import status_of
from dashboard.views.files import stream_file, value_file
from dashboard.views.guards import narrowed, see_named
from dashboard.views.page import HtmxHttpRequest, render_page

#: Parts of what was last read of an instance; Cloudflare has no other route to them.
PARTS: dict[str, Callable[[InstanceDetail], object]] = {
    "params": lambda detail: detail.params,
    "output": lambda detail: detail.output,
    "error": lambda detail: words.error_text(detail.error),
    "rollback": lambda detail: words.error_text(detail.rollback.error if detail.rollback else None),
    "answer": lambda detail: detail.raw,
}
#: One entry of its log, which `step` counts from 0.
ENTRY = "entry"


@require_GET
@narrowed
def step_output(request: HtmxHttpRequest) -> HttpResponseBase:
    see_named(request, request.GET.get("account_id", ""), request.GET.get("workflow_name", ""))
    if request.GET.get("part"):
        return _part(request)
    with ExitStack() as upstream:
        try:
            output = upstream.enter_context(_read(request.GET))
        except CloudflareError as failure:
            return _page(request, {"failure": failure}, status=status_of(failure))
        if wants_file(request.GET) and output.is_binary:
            return stream_file(output, upstream.pop_all(), *_name(request.GET))
        return _answer(request, output)


def wants_file(query: QueryDict) -> bool:
    """Whether the address asks for the bytes, not for a page about them."""
    return "download" in query or "raw" in query


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
        attempt=attempt_of(query),
    )


def _answer(request: HtmxHttpRequest, output: StepOutput) -> HttpResponse:
    query = request.GET
    if wants_file(query):
        value = words.error_text(output.error) if output.output is None else output.output
        return value_file(value, *_name(query), is_raw="raw" in query)
    ctx: dict[str, object] = {
        "is_binary": output.is_binary,
        "size": output.size,
        "value": payload(output.output),
        "has_value": output.output is not None or not output.error,
        "error_text": error_text(output.error),
        "attempt": attempt_of(query),
    }
    return _page(request, ctx)


def _part(request: HtmxHttpRequest) -> HttpResponse:
    """A part of what was last read of the instance."""
    query = request.GET
    _part_name(query)  # Before anything is looked for.
    workflows = Workflow.objects.addressed(
        _required(query, "account_id"), _required(query, "workflow_name")
    )
    instance = Instance.objects.filter(
        workflow__in=workflows, instance_id=_required(query, "instance_id")
    ).first()
    detail = instance.last_detail if instance else None
    if detail is None:
        raise Http404(_("Nothing is known of this instance here."))
    return part_file(detail, query, query["instance_id"])


def part_file(detail: InstanceDetail, query: QueryDict, name: str) -> HttpResponse:
    """The part of an instance that the address names, as a file called after the instance."""
    part = _part_name(query)
    value = _entry(detail, query) if part == ENTRY else PARTS[part](detail)
    return value_file(value, name, part, is_raw="raw" in query)


def _part_name(query: QueryDict) -> str:
    """The part that the address names; raises BadRequest for one that nothing has."""
    if query["part"] not in {*PARTS, ENTRY}:
        raise BadRequest(
            _("`part` is %(parts)s or %(entry)s.") % {"parts": ", ".join(PARTS), "entry": ENTRY}
        )
    return query["part"]


def _entry(detail: InstanceDetail, query: QueryDict) -> object:
    place = _required(query, "step")
    if not place.isascii() or not place.isdecimal() or len(place) > 7:
        raise BadRequest(_("`step` is a number from 0."))
    if int(place) >= len(detail.steps):
        raise Http404(_("The log holds no such step."))
    return detail.steps[int(place)].raw


def _page(request: HtmxHttpRequest, ctx: dict[str, object], status: int = 200) -> HttpResponse:
    query = request.GET
    address = [query.get(name, "") for name in ("account_id", "workflow_name", "instance_id")]
    back_url = reverse("instance", args=address)
    ctx["instance_id"] = address[-1]
    return output_page(request, ctx, query.get("name", ""), back_url, status=status)


def output_page(
    request: HtmxHttpRequest, ctx: dict[str, Any], name: str, back_url: str, status: int = 200
) -> HttpResponse:
    """What a step or an attempt gave, live or kept; the address of the page leads to all of it."""
    whole_url = f"{request.path}?{request.GET.urlencode()}"
    ctx |= {
        "name": words.cut(name, words.NAME_LIMIT),
        "back_url": back_url,
        "whole_url": whole_url,
        "download_url": f"{whole_url}&download=1",
    }
    return render_page(
        request, "instance/step_output.html", fragment="output", ctx=ctx, status=status
    )


def _name(query: QueryDict) -> tuple[str, ...]:
    """What a file is called after."""
    return (query.get("instance_id", ""), query.get("name", ""))


def _required(query: QueryDict, name: str) -> str:
    if not (value := query.get(name, "")):
        raise BadRequest(_("`%(name)s` is missing in the address.") % {"name": name})
    return value


def attempt_of(query: QueryDict) -> int | None:
    """The attempt that the address names, from 1; None for the step. Raises BadRequest."""
    value = query.get("attempt", "")
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or int(value[:6]) < 1:
        raise BadRequest(_("`attempt` is a number from 1."))
    return int(value[:6])


def step_output_url(instance: Instance) -> str:
    """The address to which a page adds which output of this instance it wants."""
    query = {
        "account_id": instance.workflow.account.account_id,
        "workflow_name": instance.workflow.name,
        "instance_id": instance.instance_id,
    }
    return f"{reverse('step-output')}?{urlencode(query)}"
