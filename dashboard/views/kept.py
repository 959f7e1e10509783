"""The parts of the instance page for an instance that was kept: the same, and nothing live."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import connection, evidence, operations
from dashboard.evidence import Evidence
from dashboard.forms.steps import StepsForm
from dashboard.insight import words
from dashboard.insight.instance_page import InstancePage, instance_page
from dashboard.insight.markdown import Place, as_markdown
from dashboard.insight.payload import payload
from dashboard.insight.retention import kept_until
from dashboard.insight.step_rows import error_text
from dashboard.insight.view import View
from dashboard.models import Access, Instance, Snapshot, Version, Workflow
from dashboard.models.kept_answer import KeptAnswer, Part
from dashboard.models.merging import detail_facts
from dashboard.models.snapshot import latest_by_generation
from dashboard.sync import finding
from dashboard.views.files import bytes_file, value_file
from dashboard.views.guards import signed_in
from dashboard.views.page import HtmxHttpRequest
from dashboard.views.step_output import attempt_of, output_page, part_file, wants_file


def find(text: str, access: Access, *, near: Workflow | None = None) -> Evidence:
    """What a link or an id leads to; a live instance as it is now, where Cloudflare tells. Raises
    NoEvidence."""
    found = evidence.find(text, access, near=near)
    if found.snapshot:
        return found
    account_id, name = found.workflow.account.account_id, found.workflow.name
    with suppress(connection.UnknownAccount):
        client = connection.connect(account_id)
        finding.find_instance(client, account_id, name, found.instance_id, now=timezone.now())
    return evidence.find(found.url, access)


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
            (words.cut(part.step.name, words.NAME_LIMIT), part.attempt, why)
            for part, why in kept.parts_missing
        ],
    }


def bar(
    request: HtmxHttpRequest,
    workflow: Workflow,
    instance_id: str,
    *,
    snapshots: Iterable[Snapshot],
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
        "tabs": latest_by_generation(snapshots),
        "this_url": this_url,
        "live_url": reverse("instance", args=address),
        "markdown": as_markdown(place, page, as_of) if page and as_of else "",
        "can_operate": not operations.refusal_for_user(signed_in(request), workflow),
    }


def tabs(account_id: str, workflow_name: str, instance_id: str) -> list[Snapshot]:
    """What is kept of an instance of which nothing else is known any more."""
    return [
        snapshot
        for workflow in Workflow.objects.addressed(account_id, workflow_name)
        for snapshot in latest_by_generation(Snapshot.objects.of_instance(workflow, instance_id))
    ]


def bar_of_live(
    request: HtmxHttpRequest,
    instance: Instance,
    page: InstancePage | None,
    snapshots: Iterable[Snapshot],
) -> dict[str, Any]:
    """The same above the live page, with when Cloudflare deletes the instance."""
    told = bar(
        request,
        instance.workflow,
        instance.instance_id,
        snapshots=snapshots,
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
    part = _part(kept, query)
    step, data, value = part.step, kept.bytes_of(part), kept.value_of(part)
    error = step.attempts[part.attempt - 1].error if part.attempt else step.error
    if wants_file(query):
        if data is not None:
            return bytes_file(data, name, step.name)
        told = words.error_text(error) if value is None else value
        return value_file(told, name, step.name, is_raw="raw" in query)
    ctx = {
        "is_binary": data is not None,
        "size": len(data or b""),
        "value": payload(value),
        "has_value": value is not None or not error,
        "error_text": error_text(error),
        "attempt": part.attempt,
        "why_missing": kept.missing.get(part.key),
    }
    return output_page(request, ctx, step.name, back_url)


def _part(kept: KeptAnswer, query: QueryDict) -> Part:
    """The last step of the type and name that the address has, as Cloudflare itself chooses, or an
    attempt of it."""
    wanted, attempt = (query.get("type", ""), query.get("name", "")), attempt_of(query)
    steps = [step for step in kept.detail.steps if (step.type, step.name) == wanted]
    if not steps or (attempt or 0) > len(steps[-1].attempts):
        raise Http404(_("What was kept has no such step or attempt."))
    return kept.part(steps[-1], attempt)
