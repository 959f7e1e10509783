"""Frozen links: making one, the list of them, and what somebody sees who opens one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from dashboard import evidence
from dashboard.evidence import Evidence, NoEvidence
from dashboard.forms.frozen import FrozenForm, references
from dashboard.insight.view import StillView
from dashboard.models import Access, FrozenLink
from dashboard.views import kept
from dashboard.views.files import bytes_file
from dashboard.views.guards import access, may_operate, narrowed, operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

LISTED = 200


@require_GET
@narrowed
def frozen_list(request: HtmxHttpRequest) -> HttpResponse:
    listed, now = FrozenLink.objects.seen_by(access(request)).listed(), timezone.now()
    links = list(listed[: LISTED + 1])
    rows = [(link, link.is_open(now)) for link in links[:LISTED]]
    ctx = {"rows": rows, "has_more": len(links) > LISTED}
    return render_page(request, "frozen/list.html", fragment="rows", ctx=ctx)


@narrowed
@operator_required
def new_frozen(request: HtmxHttpRequest) -> HttpResponse:
    """The form with a preview of what will be seen; sent, it makes the link, unless it is to show
    the preview again."""
    is_sent = request.method == "POST"
    given = request.POST if is_sent else None
    of = request.POST.get("of", "") if is_sent else "\n".join(request.GET.getlist("of"))
    found, problem = _found(of, evidence.find if is_sent else kept.find, access(request))
    may_operate(request, *(one.workflow for one in found))
    form = _form(given, found, of)
    is_valid = is_sent and form.is_valid()
    if is_sent and problem:
        form.add_error("of", problem)
        is_valid = False
    if is_valid and "preview" not in request.POST:
        return redirect(_make(request, form, found))
    rules = form.redaction()
    ctx = {"form": form, "problem": "" if is_sent else problem}
    if found:
        instances = evidence.redacted(found, rules)
        number = _chosen(request, instances)
        one = evidence.shown(instances[number - 1])
        ctx |= kept.still_parts(one.kept, one.as_of, StillView(), generation=one.generation)
        ctx |= {"frozen": one, "number": number, "hidden_count": rules.count}
        ctx["places"] = range(1, len(instances) + 1)
    status = 422 if is_sent and not is_valid else 200
    return render(request, "frozen/new.html", ctx, status=status)


def _chosen(request: HtmxHttpRequest, instances: list[dict[str, Any]]) -> int:
    """Which of several instances the preview shows, from 1."""
    wanted = request.POST.get("preview", "")[:4]
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() else 1
    return min(max(number, 1), len(instances))


def _form(given: QueryDict | None, found: list[Evidence], of: str) -> FrozenForm:
    steps = [step for one in found for step in one.kept.detail.steps]
    title = f"{found[0].workflow.name} {found[0].instance_id}"[:200] if found else ""
    return FrozenForm(
        given,
        step_names=(step.base_name for step in steps),
        initial={"of": of, "title": title, "days": 7},
    )


def _found(
    of: str, find: Callable[[str, Access], Evidence], access: Access
) -> tuple[list[Evidence], str]:
    """What the lines lead to, and a sentence on the first that leads nowhere."""
    lines = references(of)
    if not lines:
        return [], _("Name at least one instance.")
    if len(lines) > evidence.MOST:
        return [], _("One link shows at most %(most)s instances; these are %(number)s.") % {
            "most": evidence.MOST,
            "number": len(lines),
        }
    try:
        return [find(line, access) for line in lines], ""
    except NoEvidence as problem:
        return [], str(problem)


def _make(request: HtmxHttpRequest, form: FrozenForm, found: list[Evidence]) -> FrozenLink:
    now, rules, told = timezone.now(), form.redaction(), form.cleaned_data
    instances = evidence.redacted(found, rules)
    link = FrozenLink.objects.freeze(
        {"frozen_at": now.isoformat(), "title": rules.text(told["title"]), "instances": instances},
        title=rules.text(told["title"])[:200],
        frozen_at=now,
        expires_at=now + form.life(),
        is_public=told["is_public"],
        rules={name: told.get(name) for name in ("steps", "hides_params", "hides_outputs")}
        | {"words": len(rules.words)},
        hidden_count=rules.count,
        made_by=signed_in(request),
    )
    messages.success(request, _("The link is made: it is this page's address."))
    return link


@login_not_required
@require_GET
def frozen_page(request: HtmxHttpRequest, key: str, number: int = 1) -> HttpResponse:
    """One of the instances of the link, numbered from 1, as it was."""
    link = _link(key)
    if refused := _refused(request, link):
        return refused
    if not 1 <= number <= len(link.instances):
        raise Http404(_("The link shows no instance of this number."))
    one = evidence.shown(link.instances[number - 1])
    output_url = f"{reverse('frozen-output', args=[key, number])}?frozen=1"
    ctx = kept.parts(request, one.kept, one.as_of, generation=one.generation, output_url=output_url)
    ctx |= {"frozen": one, "others": list(enumerate(link.instances, 1)), "number": number}
    return _private(render(request, "frozen/page.html", ctx | {"link": link}))


@login_not_required
@require_GET
def frozen_output(request: HtmxHttpRequest, key: str, number: int) -> HttpResponse:
    """What the page shows of an instance, to save; with `whole` all of it, as it was hashed."""
    link = _link(key)
    if refused := _refused(request, link):
        return refused
    if not 1 <= number <= len(link.instances):
        raise Http404(_("The link shows no instance of this number."))
    if "whole" in request.GET:
        return _private(bytes_file(link.document, "frozen", ending="json"))
    one = evidence.shown(link.instances[number - 1])
    back_url = reverse("frozen-instance", args=[key, number])
    return _private(kept.output(request, one.kept, name=one.instance_id, back_url=back_url))


@require_POST
@narrowed
@operator_required
def revoke(request: HtmxHttpRequest, key: str) -> HttpResponse:
    """Nobody sees it any more; that it was there stays in the list."""
    seen = FrozenLink.objects.seen_by(access(request))
    seen.filter(key=key, revoked_at=None).update(
        revoked_at=timezone.now(), revoked_by=signed_in(request)
    )
    return redirect("frozen-list")


def _link(key: str) -> FrozenLink:
    link = FrozenLink.objects.select_related("made_by").filter(key=key).first()
    if link is None:
        raise Http404(_("There is no such link."))
    return link


def _refused(request: HtmxHttpRequest, link: FrozenLink) -> HttpResponse | None:
    """Signing in comes first: who may not look learns nothing, not even that it has expired."""
    if not link.is_public and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not link.is_open(timezone.now()):
        return _private(render(request, "frozen/closed.html", {"link": link}, status=410))
    return None


def _private(response: HttpResponse) -> HttpResponse:
    """No cache keeps it, and no search engine lists it."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
