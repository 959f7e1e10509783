"""The workflows of all accounts, or of one: what is broken, since when, where to look first."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dashboard import connection
from dashboard.forms.since import Since
from dashboard.models import Account
from dashboard.views.account_workflows import AccountWorkflows
from dashboard.views.board import Board
from dashboard.views.guards import access, narrowed
from dashboard.views.page import HtmxHttpRequest, render_page


@require_safe
@narrowed
def overview(request: HtmxHttpRequest) -> HttpResponse:
    """Every account with its workflows, worst first."""
    return _page(request, Account.objects.order_by("name", "pk"), gettext("Overview"))


@require_safe
@narrowed
def account_workflows(request: HtmxHttpRequest, account_id: str) -> HttpResponse:
    """One account with its workflows; a configured one may still wait for its first sync."""
    accounts = list(Account.objects.filter(account_id=account_id))
    is_known = accounts or account_id in connection.configured_accounts()
    if not is_known or not access(request).sees_account(account_id):
        raise Http404(gettext("No account %(account)s is watched here.") % {"account": account_id})
    name = accounts[0].name if accounts else account_id
    return _page(request, accounts, gettext("Workflows of %(account)s") % {"account": name})


def _page(request: HtmxHttpRequest, accounts: Iterable[Account], title: str) -> HttpResponse:
    now = timezone.now()
    since = Since.read(request.GET.get("since", ""), now)
    page = request.GET.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    board = Board(since, now)
    groups = AccountWorkflows.of(accounts, board, access(request), max(1, number))
    broken = board.broken(row.workflow for group in groups for row, _ in group.rows)
    ctx = {
        "broken": broken,
        "groups": groups,
        "board": board,
        "since": since,
        "title": title,
        "now": now,
    }
    status = 400 if since.error else 200
    return render_page(request, "overview/page.html", fragment="workflows", ctx=ctx, status=status)
