"""Go to: an instance, a workflow or a view, by a part of its name or by a pasted address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.models import Access, Instance, SavedView, User, Workflow
from dashboard.models.filters import Contains, InstanceFilters
from dashboard.models.keyset import Order, first_keys
from dashboard.models.list_row import ListRow, list_rows
from dashboard.models.matching import Matching
from dashboard.models.storing import storable
from dashboard.views.addresses import address
from dashboard.views.current_view import SYSTEM_VIEWS
from dashboard.views.guards import access, narrowed
from dashboard.views.page import HtmxHttpRequest, render_page

NEWEST = Order("created_on", is_nullable=False)
#: Of each kind; who wants more searches the list.
MOST = 6
#: Longer than any address of an instance.
LONGEST = 2000


@dataclass(frozen=True)
class Place:
    """Somewhere to go. `kind`: in the reader's language. `is_exact`: it is what was asked for, word
    for word."""

    kind: str
    title: str
    href: str
    note: str = ""
    status: str = ""
    is_exact: bool = False
    is_instance: bool = False


@require_safe
@narrowed
def go(request: HtmxHttpRequest) -> HttpResponse:
    """What can be gone to; as a page it goes straight to the only thing that is meant."""
    text = storable(request.GET.get("q", ""))[:LONGEST].strip()
    places = _places(text, access(request)) if text else []
    exact = [place for place in places if place.is_exact]
    if not request.htmx and len(exact) == 1:
        return redirect(exact[0].href)
    search = f"{reverse('instances')}?{urlencode({'q': text})}"
    fragment = "results" if "q" in request.GET else "palette"
    ctx = {"text": text, "places": places, "search_href": search}
    return render_page(request, "go.html", fragment=fragment, ctx=ctx)


def _places(text: str, mine: Access) -> list[Place]:
    if named := _by_address(text, mine):
        return [named]
    return [*_instances(text, mine), *_workflows(text, mine), *_views(text, mine.user)]


def _by_address(text: str, mine: Access) -> Place | None:
    """Its own page asks Cloudflare for an instance that is not known here."""
    told = address(text)
    if told is None or not mine.sees_named(told.account_id, told.workflow_name):
        return None
    if told.instance_id:
        parts = [told.account_id, told.workflow_name, told.instance_id]
        return Place(
            _("Instance"), told.instance_id, reverse("instance", args=parts),
            told.workflow_name, is_exact=True, is_instance=True,
        )  # fmt: skip
    href = reverse("workflow", args=[told.account_id, told.workflow_name])
    return Place(_("Workflow"), told.workflow_name, href, is_exact=True)


def _instances(text: str, mine: Access) -> Iterator[Place]:
    workflows = Workflow.objects.filter(mine.seen("pk")).values("pk")
    # By workflow, as the index begins with it.
    same = Instance.objects.filter(workflow__in=workflows, instance_id=text)
    exact = list_rows(list(same.values_list("pk", flat=True)[:MOST]))
    known = {row.pk for row in exact}
    where = _("%(workflow)s in %(account)s")
    for row in [*exact, *(row for row in _alike(text, mine) if row.pk not in known)][:MOST]:
        told = {"workflow": row.workflow_name, "account": row.account_name}
        yield Place(
            _("Instance"), row.instance_id, row.get_absolute_url(),
            where % told, row.status, row.pk in known, is_instance=True,
        )  # fmt: skip


def _alike(text: str, mine: Access) -> list[ListRow]:
    """The newest with this text anywhere in the id."""
    clause = Contains(text, ("instance_id",))
    filters = InstanceFilters(clauses=(clause,), within=mine.workflows)
    matching = Matching(Instance.objects.all(), filters)
    keys = first_keys(matching.lists, NEWEST, limit=MOST)
    return list_rows(keys)


def _workflows(text: str, mine: Access) -> Iterator[Place]:
    found = Workflow.objects.present().filter(mine.seen("pk"), name__icontains=text)
    for workflow in found.select_related("account").order_by("name")[:MOST]:
        is_exact = workflow.name == text
        note = workflow.account.name
        yield Place(
            _("Workflow"), workflow.name, workflow.get_absolute_url(), note, is_exact=is_exact
        )


def _views(text: str, user: User) -> Iterator[Place]:
    saved = SavedView.objects.visible_to(user).filter(name__icontains=text)[:MOST]
    system = [view for view in SYSTEM_VIEWS if text.lower() in view.name.lower()]
    for view in [*system, *saved]:
        is_exact = view.name.lower() == text.lower()
        yield Place(_("View"), view.name, view.get_absolute_url(), is_exact=is_exact)
