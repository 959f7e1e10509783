"""A kept generation: its page, its outputs, and pinning it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from dashboard import connection, evidence, sync
from dashboard.cloudflare import CloudflareError
from dashboard.models import Instance, Snapshot, User, Why, Workflow
from dashboard.models.storing import storable
from dashboard.views import kept
from dashboard.views.files import bytes_file
from dashboard.views.guards import access, may_operate, narrowed, operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page


@require_GET
@narrowed
def snapshot_detail(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    snapshot = _snapshot(request, pk)
    output_url = f"{reverse('snapshot-output', args=[pk])}?kept=1"
    ctx = kept.parts(
        request,
        snapshot.kept,
        snapshot.read_at,
        generation=snapshot.generation,
        output_url=output_url,
    )
    ctx |= {"snapshot": snapshot} | kept.bar(
        request,
        snapshot.workflow,
        snapshot.instance_id,
        snapshots=Snapshot.objects.of_instance(snapshot.workflow, snapshot.instance_id),
        this_url=snapshot.get_absolute_url(),
        page=ctx["page"],
        as_of=snapshot.read_at,
    )
    return render_page(request, "snapshots/page.html", fragment="snapshot", ctx=ctx)


@require_GET
@narrowed
def snapshot_output(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What was kept of a step, params or output; or, with `whole`, all of it, as it was hashed."""
    snapshot = _snapshot(request, pk)
    if "whole" in request.GET:
        return bytes_file(snapshot.document, f"snapshot-{pk}", ending="json")
    return kept.output(
        request, snapshot.kept, name=snapshot.instance_id, back_url=snapshot.get_absolute_url()
    )


@require_POST
@narrowed
@operator_required
def keep(request: HtmxHttpRequest) -> HttpResponse:
    """Reads the instance, keeps it with its outputs, and pins what was kept."""
    row, now = _instance(request, request.POST), timezone.now()
    may_operate(request, row.workflow)
    try:
        client = connection.connect(row.workflow.account.account_id)
    except connection.UnknownAccount as error:
        raise Http404(str(error)) from error
    try:
        sync.read_instance(client, row.workflow, row.instance_id, now=now)
    except CloudflareError as failure:
        messages.warning(
            request,
            _("Cloudflare does not tell more than was known. %(failure)s") % {"failure": failure},
        )
    kept_now: Snapshot | None
    try:
        kept_now = evidence.keep_whole(client, row, Why.PINNED, now=now)
    except evidence.NotKept as cause:
        messages.warning(request, str(cause))
        kept_now = Snapshot.objects.of_instance(row.workflow, row.instance_id).last()
    if kept_now:
        _pin(kept_now, signed_in(request), now)
        messages.success(request, _("Kept and pinned: it stays until somebody unpins it."))
    return redirect(row)


@require_POST
@narrowed
@operator_required
def pin(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Pins a snapshot, or with `unpin` lets it age out."""
    snapshot = _snapshot(request, pk)
    may_operate(request, snapshot.workflow)
    if "unpin" in request.POST:
        Snapshot.objects.filter(pk=pk).update(pinned_at=None, pinned_by=None)
    else:
        _pin(snapshot, signed_in(request), timezone.now())
    return redirect(snapshot)


def _pin(snapshot: Snapshot, user: User, now: datetime) -> None:
    Snapshot.objects.filter(pk=snapshot.pk, pinned_at=None).update(pinned_at=now, pinned_by=user)


def _snapshot(request: HtmxHttpRequest, pk: uuid.UUID) -> Snapshot:
    found = Snapshot.objects.select_related("workflow__account", "pinned_by").filter(pk=pk).first()
    if found is None or not access(request).sees(found.workflow):
        raise Http404(_("There is no such snapshot; those that nobody pins age out."))
    return found


def _instance(request: HtmxHttpRequest, given: Any) -> Instance:
    row = (
        Instance.objects.with_workflow()
        .filter(
            workflow__in=Workflow.objects.addressed(
                storable(given.get("account_id", "")), storable(given.get("workflow_name", ""))
            ),
            instance_id=storable(given.get("instance_id", "")),
        )
        .first()
    )
    if row is None or not access(request).sees(row.workflow):
        raise Http404(_("There is no such instance in the local copy."))
    return row
