"""What somebody says of a group: resolved, ignored, open again, merged, split off, or a note."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dashboard.forms.groups import FORMS, SayingForm
from dashboard.models import Decision, ErrorGroup, User, deciding, group_figures
from dashboard.views.group_page import GroupPage
from dashboard.views.guards import access, may_operate, narrowed, operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page


@require_POST
@narrowed
@operator_required
def decide(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Writes down what the form says; one that does not fit comes back with all that it held."""
    group = get_object_or_404(ErrorGroup.objects.described(), access(request).seen(), pk=pk)
    may_operate(request, group.workflow)
    kind = request.POST.get("kind", "")
    if kind not in FORMS:
        raise Http404(_("Nobody can say “%(kind)s” of a group.") % {"kind": kind[:20]})
    form = FORMS[kind](request.POST, group=group, auto_id=f"id_{kind}_%s")
    if form.is_valid():
        try:
            is_said = say(group, Decision.Kind(kind), form, signed_in(request), now=timezone.now())
        except deciding.CannotMerge as error:
            form.add_error(None, str(error))
        else:
            _confirm(request, kind, is_said=is_said)
            return redirect(group)
    page = GroupPage(group, signed_in(request), timezone.now(), {kind: form})
    ctx = {"page": page}
    return render_page(request, "groups/page.html", fragment="figures", ctx=ctx, status=422)


def say(
    group: ErrorGroup, kind: Decision.Kind, form: SayingForm, user: User, *, now: datetime
) -> bool:
    """Writes down what a valid form says; False when there was nothing to change. Raises
    CannotMerge."""
    facts = form.facts()
    if kind is Decision.Kind.MERGED:
        deciding.merge(group, facts["other"], user, reason=facts["reason"], now=now)
    elif kind is Decision.Kind.SPLIT:
        return deciding.split(group, user, reason=facts["reason"], now=now) is not None
    else:
        count = group_figures.figures([group], since=now, now=now)[0].counted.count
        deciding.decide(group, kind, user, now=now, counted=count, **facts)
    return True


def _confirm(request: HtmxHttpRequest, kind: str, *, is_said: bool) -> None:
    if not is_said:
        messages.warning(request, _("Nothing was changed: it is not merged into any group."))
    elif kind == Decision.Kind.MERGED:
        messages.success(
            request,
            _("It is merged; what was counted of it stays apart, and split takes it out again."),
        )
    elif kind == Decision.Kind.SPLIT:
        messages.success(request, _("It stands for itself again."))
    else:
        messages.success(request, _("It is written down."))
