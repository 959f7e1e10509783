"""The parts of the instance page for an instance that was kept: the same, and nothing live."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from dashboard import connection, evidence
from dashboard.cloudflare.types import Step
from dashboard.evidence import Evidence
from dashboard.insight.instance_page import InstancePage, instance_page
from dashboard.insight.markdown import Place, as_markdown
from dashboard.insight.payload import as_text, payload
from dashboard.insight.retention import kept_until
from dashboard.models import Instance, Snapshot, Version, Workflow
from dashboard.models.kept_answer import KeptAnswer
from dashboard.models.merging import detail_facts
from dashboard.models.snapshot import latest_by_generation
from dashboard.sync import finding
from dashboard.views.page import HtmxHttpRequest, render_page

#: What a page shows; more of it would freeze a browser.
SHOWN = 400_000
_UNSAFE = re.compile(r"[^\w.-]+")


def find(text: str, *, near: Workflow | None = None) -> Evidence:
    """What a link or an id leads to; a live instance as it is now, where Cloudflare tells. Raises
    NoEvidence."""
    found = evidence.find(text, near=near)
    if found.snapshot:
        return found
    account_id, name = found.workflow.account.account_id, found.workflow.name
    with suppress(connection.UnknownAccount):
        client = connection.connect(account_id)
        finding.find_instance(client, account_id, name, found.instance_id, now=timezone.now())
    return evidence.find(found.url)


def parts(
    request: HtmxHttpRequest, kept: KeptAnswer, as_of: datetime, *, generation: int, output_url: str
) -> dict[str, Any]:
    """What the templates of templates/instance ask for."""
    detail = kept.detail
    return {
        "instance": Instance(generation=generation, **detail_facts(detail)),
        "page": instance_page(detail, as_of, request.GET.get("steps", "")),
        "is_current": False,
        "output_url": output_url,
        "missing_outputs": [
            (step, kept.missing[str(step.index)])
            for step in detail.steps
            if str(step.index) in kept.missing
        ],
    }


def bar(
    request: HtmxHttpRequest,
    workflow: Workflow,
    instance_id: str,
    *,
    this_url: str,
    page: InstancePage | None,
    as_of: datetime | None,
) -> dict[str, Any]:
    """What stands above both a live instance and a kept one: its generations, and its summary."""
    address = [workflow.account.account_id, workflow.name, instance_id]
    place = Place(
        workflow.account.name, workflow.name, instance_id, request.build_absolute_uri(this_url)
    )
    return {
        "tabs": latest_by_generation(Snapshot.objects.of_instance(workflow, instance_id)),
        "this_url": this_url,
        "live_url": reverse("instance", args=address),
        "markdown": as_markdown(place, page, as_of) if page and as_of else "",
    }


def deleted_on(row: Instance) -> datetime | None:
    """When Cloudflare deletes it, by its version's retention; None when that is not known."""
    if row.expired_at or not row.is_finished:
        return None
    version = Version.objects.filter(workflow=row.workflow, version_id=row.version_id).first()
    if version is None:
        return None
    return kept_until(row.status, row.ended_on, version.success_retention, version.error_retention)


def output(request: HtmxHttpRequest, kept: KeptAnswer, *, name: str, back_url: str) -> HttpResponse:
    """A part of what was kept, as `step_output` answers for what is live: to read, or to save."""
    query = request.GET
    if part := query.get("part"):
        found = {"params": kept.detail.params, "output": kept.detail.output, "answer": kept.answer}
        if part not in found:
            raise BadRequest("`part` is params, output or answer.")
        return attachment(f"{name}-{part}", found[part])
    step = _step(kept, query.get("type", ""), query.get("name", ""))
    data = kept.bytes_of(step)
    if "download" in query:
        return attachment(f"{name}-{step.name}", step.output if data is None else data)
    whole = kept.missing.get(str(step.index))
    address = query.copy()
    address["download"] = "1"
    ctx = {
        "value": None if data else payload(step.output, limit=SHOWN),
        "size": len(data) if data else 0,
        "why_missing": whole,
        "name": step.name,
        "back_url": back_url,
        "download_url": f"{request.path}?{address.urlencode()}",
    }
    return render_page(request, "snapshots/output.html", fragment="output", ctx=ctx)


def attachment(name: str, value: object) -> HttpResponse:
    """Saved under a harmless name, and never shown as a page."""
    if isinstance(value, bytes):
        ending, body = "bin", value
    else:
        ending = "txt" if isinstance(value, str) else "json"
        body = as_text(value).encode("utf-8", "replace")
    return save(f"{_UNSAFE.sub('_', name).strip('._')[:160]}.{ending}", body)


def save(name: str, body: bytes) -> HttpResponse:
    return HttpResponse(
        body,
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


def _step(kept: KeptAnswer, type_: str, name: str) -> Step:
    """The last step of this type and name, as Cloudflare itself chooses."""
    steps = [step for step in kept.detail.steps if step.type == type_ and step.name == name]
    if not steps:
        raise Http404("What was kept has no such step.")
    return steps[-1]
