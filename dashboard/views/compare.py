"""Two instances, or two generations of one, side by side."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from dashboard.evidence import Evidence, NoEvidence
from dashboard.insight.comparison import Told, compare
from dashboard.models import Access
from dashboard.views import kept
from dashboard.views.guards import access, narrowed
from dashboard.views.limits import PAGES, at_most
from dashboard.views.page import HtmxHttpRequest, render_page


@require_GET
@narrowed
@at_most(PAGES, "compare")
def comparison(request: HtmxHttpRequest) -> HttpResponse:
    """`left` and `right` take a link or an id; the address is the link to share."""
    sides = {name: request.GET.get(name, "").strip() for name in ("left", "right")}
    problems: dict[str, str] = {}
    mine = access(request)
    left = _found(sides, "left", problems, mine, None)
    right = _found(sides, "right", problems, mine, left)
    ctx: dict[str, Any] = {"given": sides, "problems": problems, "left": left, "right": right}
    if left and right:
        ctx["comparison"] = compare(
            Told(left.kept.detail, left.as_of), Told(right.kept.detail, right.as_of)
        )
        ctx["is_one_instance"] = (left.workflow, left.instance_id) == (
            right.workflow,
            right.instance_id,
        )
    status = 404 if problems else 200
    return render_page(request, "snapshots/compare.html", fragment="result", ctx=ctx, status=status)


def _found(
    sides: dict[str, str],
    name: str,
    problems: dict[str, str],
    mine: Access,
    near: Evidence | None,
) -> Evidence | None:
    if not sides[name]:
        return None
    try:
        return kept.find(sides[name], mine, near=near.workflow if near else None)
    except NoEvidence as problem:
        problems[name] = str(problem)
        return None
