"""Asking for an operation on many: what it would do first, then the yes."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from dashboard import operations
from dashboard.forms.bulk import BULK_FORMS, BulkForm, initial_of
from dashboard.forms.selection import Selection, in_words, read_selection
from dashboard.models import User
from dashboard.models.operation import Kind
from dashboard.views.asking import SENT_BEFORE
from dashboard.views.guards import access, narrowed, operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

TEMPLATE = "operations/bulk.html"


@require_POST
@narrowed
@operator_required
def bulk(request: HtmxHttpRequest) -> HttpResponse:
    """The preview of an operation on many; with `confirm`, its beginning."""
    try:
        selection = read_selection(request.POST, access(request), now=timezone.now())
    except ValidationError as error:
        ctx = {"problems": error.messages, "back": _back(request.POST)}
        return render_page(request, TEMPLATE, fragment="preview", ctx=ctx, status=422)
    preview = Preview(request.POST, selection, signed_in(request))
    if not preview.is_confirmed:
        return _render(request, preview)
    if not preview.form.is_valid() or preview.problem:
        return _render(request, preview, status=422)
    operation, is_new = operations.begin(
        selection.instances, preview.wanted, preview.terms(), now=timezone.now()
    )
    if not is_new:
        messages.warning(request, _(SENT_BEFORE))
    return redirect(operation)


class Preview:
    """What would become of a selection, and the form that says yes to it."""

    def __init__(self, given: QueryDict, selection: Selection, user: User) -> None:
        self.given, self.selection, self.user = given, selection, user
        self.kind = _kind(given, selection)
        self.is_confirmed = "confirm" in given
        self.plan = operations.plan(self.kind, selection.instances, user)
        initial: dict[str, Any] = {"key": uuid.uuid4()}
        if selection.retry_of:
            initial |= initial_of(selection.retry_of)
        self.form: BulkForm = BULK_FORMS[self.kind](
            given if self.is_confirmed else None,
            initial=initial,
            kind=self.kind,
            acted_on=self.plan.acted_on,
        )

    @property
    def title(self) -> str:
        number = self.plan.acted_on
        title = ngettext(
            "%(operation)s: %(number)s instance", "%(operation)s: %(number)s instances", number
        )
        return title % {"operation": self.kind.label, "number": f"{number:,}"}

    @property
    def problem(self) -> str:
        """Why this cannot begin as it stands; "" when it can."""
        plan = self.plan
        if plan.why_not:
            return plan.why_not
        if self.is_confirmed and plan.number > self._number("number"):
            more = _(
                "There are more now than were shown: %(number)s. Nothing was begun; look at them, "
                "then begin."
            )
            return more % {"number": f"{plan.number:,}"}
        return ""

    @property
    def remark(self) -> str:
        """What differs from what the list showed; "" when nothing does."""
        shown = self._number("number")
        if self.is_confirmed or not shown or shown == self.plan.number:
            return ""
        told = {"shown": f"{shown:,}", "number": f"{self.plan.number:,}"}
        return _("The list showed %(shown)s; it is %(number)s now.") % told

    @property
    def can_begin(self) -> bool:
        return not self.plan.why_not

    @property
    def is_dangerous(self) -> bool:
        return self.kind in operations.DANGEROUS

    @property
    def newest(self) -> int:
        """What came later than this row is not meant; 0 when nothing is selected."""
        return self.selection.instances.order_by().aggregate(newest=Max("pk"))["newest"] or 0

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form carries on, so that it means the instances that are shown."""
        names = ("chosen", "matching", "list", "retry_of")
        carried = [(name, text) for name in names for text in self.given.getlist(name)]
        newest = self.given.get("newest") or self.newest
        mine = {"kind": self.kind.value, "number": str(self.plan.number), "newest": str(newest)}
        return [*carried, *mine.items()]

    @property
    def list_words(self) -> list[tuple[str, str]]:
        return in_words(self.selection.list_query)

    @property
    def back(self) -> str:
        return _back(self.given)

    @property
    def wanted(self) -> operations.Wanted:
        data = self.form.cleaned_data
        return operations.Wanted(
            kind=self.kind,
            user=self.user,
            key=data["key"],
            reason=data["reason"],
            arguments=self.form.arguments(),
        )

    def terms(self) -> operations.Terms:
        data = self.form.cleaned_data
        return operations.Terms(
            waves=data["waves"],
            stop_above=data["stop_above"],
            list_query=self.selection.list_query,
            retry_of=self.selection.retry_of,
        )

    def _number(self, name: str) -> int:
        text = self.given.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _render(request: HtmxHttpRequest, preview: Preview, *, status: int = 200) -> HttpResponse:
    ctx = {
        "preview": preview,
        "plan": preview.plan,
        "form": preview.form,
        "effects": operations.effects(preview.kind, None, is_batch=False),
        "now": timezone.now(),
    }
    return render_page(request, TEMPLATE, fragment="preview", ctx=ctx, status=status)


def _kind(given: QueryDict, selection: Selection) -> Kind:
    """What is asked for: again the same when it is a retry."""
    text = selection.retry_of.kind if selection.retry_of else given.get("kind", "")
    if text not in operations.kinds_on_offer():
        raise Http404(
            _("There is no operation on many called “%(operation)s”.") % {"operation": text[:40]}
        )
    return Kind(text)


def _back(given: QueryDict) -> str:
    """Where the selection was made."""
    if text := given.get("retry_of", ""):
        with suppress(ValueError):
            return reverse("operation", args=[uuid.UUID(text)])
    query = given.get("list", "").removeprefix("?")
    return f"{reverse('instances')}?{query}" if query else reverse("instances")
