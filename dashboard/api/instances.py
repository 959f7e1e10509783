"""Instances: the list that a search finds, one with its steps, and the whole output of a step."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from ninja import Query, Router

from dashboard import cloudflare, connection, operations
from dashboard.api import seen
from dashboard.api.failures import Misfit
from dashboard.api.identity import Expensive, asking
from dashboard.api.instance_shapes import (
    ActionTold,
    AskedTold,
    DetailTold,
    ErrorTold,
    InstanceRow,
    Instances,
    KeptTold,
    OneInstance,
    OutputTold,
)
from dashboard.api.shapes import answers, base_of, plain
from dashboard.forms.instance_filters import DEFAULT_SORT, InstanceFilterForm
from dashboard.insight.instance_page import instance_page
from dashboard.models import User, access_of
from dashboard.models.keyset import page_of
from dashboard.models.list_row import list_rows
from dashboard.models.matching import Matching
from dashboard.models.storing import storable
from dashboard.sync import finding
from dashboard.views.live import Beside, Live

router = Router(tags=["Instances"])

#: What Cloudflare, or the way to it, may answer for an instance.
UPSTREAM = (400, 404, 409, 501, 502, 504)
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/instances", response=answers(Instances))
def list_instances(
    request: HttpRequest,
    *,
    q: Annotated[str, Query(max_length=1000, description="As in the search box.")] = "",
    sort: Annotated[
        str, Query(description="created, started, ended or duration; “-” before it: downwards.")
    ] = DEFAULT_SORT,
    after: Annotated[str, Query(max_length=200, description="`next` of a page.")] = "",
    before: Annotated[str, Query(max_length=200, description="`previous` of a page.")] = "",
    limit: Limit = 100,
) -> Instances:
    """What a search finds, from the local copy: Cloudflare is not asked."""
    told = {"q": q, "sort": sort, "after": after, "before": before}
    return found(asking(request), told, limit, base_of(request))


def found(user: User, told: dict[str, str], limit: int, base: str) -> Instances:
    """One page of the list with this address; raises Misfit."""
    query = QueryDict(mutable=True)
    query.update({name: text for name, text in told.items() if text})
    now = timezone.now()
    form = InstanceFilterForm(query, now=now, access=access_of(user))
    if not form.is_valid():
        raise Misfit.of(form)
    matching = Matching(seen.instances(user), form.filters)
    place = {name: form.cleaned_data[name] for name in ("after", "before")}
    page = page_of(matching.lists, list_rows, form.order, size=limit, **place)
    is_first = not any(place.values())
    return Instances(
        as_of=now,
        instances=[InstanceRow.of(row, base) for row in page.rows],
        next=page.next,
        previous=page.previous,
        matches=matching.counts.total(matching.statuses) if is_first else None,
        is_exact=matching.counts.is_exact(matching.statuses) if is_first else None,
        counts=dict(matching.counts.numbers) if is_first else None,
    )


@router.get(
    "/accounts/{account_id}/workflows/{workflow_name}/instances/{path:instance_id}",
    response=answers(OneInstance, *UPSTREAM),
    throttle=[Expensive()],
)
def get_instance(
    request: HttpRequest,
    account_id: str,
    workflow_name: str,
    instance_id: str,
    *,
    step_offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
    step_limit: Annotated[int, Query(ge=0, le=5000)] = 500,
) -> OneInstance:
    """One instance as Cloudflare tells it now; else as it was last known, with why and its age."""
    address = (account_id, workflow_name, instance_id)
    return one(asking(request), address, (step_offset, step_limit), base_of(request))


def one(user: User, address: tuple[str, str, str], part: tuple[int, int], base: str) -> OneInstance:
    """The instance of this address, with so many steps from one on; raises Http404, or
    CloudflareError where nothing at all is known of it."""
    account_id, workflow_name, instance_id = map(storable, address)
    nowhere = Http404(f"There is no instance “{instance_id[:271]}” of {workflow_name[:64]} here.")
    if not access_of(user).sees_named(account_id, workflow_name):
        raise nowhere
    client, now = _client(account_id), timezone.now()
    found = finding.find_instance(client, account_id, workflow_name, instance_id, now=now)
    row = found.instance
    if row is None and found.error:
        raise found.error
    if row is None:
        raise nowhere
    if found.was_read:
        operations.judge_open(row, now=now)
    beside, live = Beside.of(row), Live(row, found.look, is_polling=False)
    is_current = found.look is not None and not found.failure
    detail, as_of = row.last_detail, now if is_current else live.told_at or now
    page = instance_page(detail, as_of) if detail else None
    return OneInstance(
        **InstanceRow.facts(list_rows([row.pk])[0], base),
        as_of=now,
        told_at=live.told_at,
        is_current=is_current,
        failure=found.failure,
        detail=DetailTold.of(page, *part) if page else None,
        actions=[ActionTold.of(choice) for choice in operations.choices(row, user)],
        operations=[AskedTold.of(item, base) for item in beside.items],
        evidence=[KeptTold.of(kept, base) for kept in beside.snapshots],
    )


@router.get("/step-output", response=answers(OutputTold, *UPSTREAM), throttle=[Expensive()])
def get_step_output(
    request: HttpRequest,
    *,
    account_id: str,
    workflow_name: str,
    instance_id: str,
    name: str,
    type: Annotated[str, Query(description="Of the step, as the instance tells it.")],
    attempt: Annotated[int | None, Query(ge=1, le=10**6)] = None,
) -> OutputTold:
    """All that a step, or one of its attempts, gave. Bytes are not sent: the page has them."""
    client = _client(account_id)
    if client is None or seen.workflow(asking(request), account_id, workflow_name) is None:
        raise Http404("Nothing is known of this instance here, or its account is not configured.")
    options: dict[str, Any] = {"name": name, "type": cloudflare.StepType(type), "attempt": attempt}
    with client.get_step(workflow_name, instance_id, **options) as told:
        return OutputTold(
            status=told.status.value,
            output=None if told.is_binary else plain(told.output),
            error=ErrorTold.of(told.error),
            is_binary=told.is_binary,
            content_type=told.content_type,
            size=told.size,
        )


def _client(account_id: str) -> cloudflare.Client | None:
    with suppress(connection.UnknownAccount):
        return connection.connect(account_id)
    return None
