"""The parts of the instance page for an instance that was kept: the same, and nothing live."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

from dashboard import connection, evidence
from dashboard.cloudflare.types import Step
from dashboard.evidence import Evidence
from dashboard.forms.steps import StepsForm
from dashboard.insight import words
from dashboard.insight.instance_page import InstancePage, instance_page
from dashboard.insight.markdown import Place, as_markdown
from dashboard.insight.payload import payload
from dashboard.insight.retention import kept_until
from dashboard.insight.view import View
from dashboard.models import Instance, Snapshot, Version, Workflow
from dashboard.models.kept_answer import KeptAnswer
from dashboard.models.merging import detail_facts
from dashboard.models.snapshot import latest_by_generation
from dashboard.sync import finding
from dashboard.views.files import bytes_file, value_file
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.step_output import part_file


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
    """What the templates of templates/instance ask for, looked at as the address says."""
    form = StepsForm(request.GET)
    told = still_parts(kept, as_of, form.view, generation=generation)
    return told | {"form": form, "output_url": output_url}


def still_parts(
    kept: KeptAnswer, as_of: datetime, view: View, *, generation: int
) -> dict[str, Any]:
    """The same where no address leads to its payloads."""
    detail = kept.detail
    return {
        "instance": Instance(generation=generation, **detail_facts(detail)),
        "page": instance_page(detail, as_of, view),
        "is_current": False,
        "is_kept": True,
        "output_url": "",
        "missing_outputs": [
            (words.cut(step.name, words.NAME_LIMIT), kept.missing[str(step.index)])
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


def tabs(account_id: str, workflow_name: str, instance_id: str) -> list[Snapshot]:
    """What is kept of an instance of which nothing else is known any more."""
    return [
        snapshot
        for workflow in Workflow.objects.addressed(account_id, workflow_name)
        for snapshot in latest_by_generation(Snapshot.objects.of_instance(workflow, instance_id))
    ]


def bar_of_live(
    request: HtmxHttpRequest, instance: Instance, page: InstancePage | None
) -> dict[str, Any]:
    """The same above the live page, with when Cloudflare deletes the instance."""
    told = bar(
        request,
        instance.workflow,
        instance.instance_id,
        this_url=instance.get_absolute_url(),
        page=page,
        as_of=instance.read_at,
    )
    return told | {"deleted_on": deleted_on(instance)}


def deleted_on(row: Instance) -> datetime | None:
    """When Cloudflare deletes it, by its version's retention; None when that is not known."""
    if row.expired_at or not row.is_finished:
        return None
    version = Version.objects.filter(workflow=row.workflow, version_id=row.version_id).first()
    if version is None:
        return None
    return kept_until(row.status, row.ended_on, version.success_retention, version.error_retention)


def output(request: HtmxHttpRequest, kept: KeptAnswer, *, name: str, back_url: str) -> HttpResponse:
    """A part of what was kept, as `step_output` answers for what is live: to read, or as a file."""
    query = request.GET
    if query.get("part"):
        return part_file(kept.detail, query, name)
    step = _step(kept, query.get("type", ""), query.get("name", ""))
    data = kept.bytes_of(step)
    if "download" in query or "raw" in query:
        if data is not None:
            return bytes_file(data, name, step.name)
        return value_file(step.output, name, step.name, is_raw="raw" in query)
    whole_url = f"{request.path}?{query.urlencode()}"
    ctx = {
        "value": payload(step.output) if data is None else None,
        "size": len(data or b""),
        "why_missing": kept.missing.get(str(step.index)),
        "name": words.cut(step.name, words.NAME_LIMIT),
        "back_url": back_url,
        "whole_url": whole_url,
        "download_url": f"{whole_url}&download=1",
    }
    return render_page(request, "snapshots/output.html", fragment="output", ctx=ctx)


def _step(kept: KeptAnswer, type_: str, name: str) -> Step:
    """The last step of this type and name, as Cloudflare itself chooses."""
    steps = [step for step in kept.detail.steps if step.type == type_ and step.name == name]
    if not steps:
        raise Http404("What was kept has no such step.")
    return steps[-1]
