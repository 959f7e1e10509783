"""What will happen by itself in the next 24 hours: who wakes when, and what Cloudflare deletes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_safe

from dashboard.insight import charts
from dashboard.insight.charts import Chart
from dashboard.models import Progress, Workflow, forecast
from dashboard.models.forecast import DELETED, HOUR, KINDS, Hour
from dashboard.models.progress import Coverage
from dashboard.views.counts import list_address
from dashboard.views.guards import access, narrowed
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.recently import worked_out
from dashboard.views.workflow_rows import WorkflowRow

WORDS = {
    "sleeping": gettext_noop("Sleeps end"),
    "waiting-for-event": gettext_noop("Waits time out"),
    "retrying": gettext_noop("Retries"),
}
DELETED_WORD = gettext_noop("Deleted")
MOST_SHOWN = 50


@dataclass(frozen=True)
class Cell:
    """A number, and the list behind it where there is one."""

    label: str
    number: int
    href: str = ""


@dataclass(frozen=True)
class Line:
    """An hour with its numbers, in the order of the columns."""

    hour: Hour
    cells: Sequence[Cell]


@require_safe
@narrowed
def forecast_page(request: HtmxHttpRequest) -> HttpResponse:
    """All workflows together, hour by hour and each by itself."""
    now = timezone.now()
    ctx = {"forecast": Forecast(now, within=access(request).workflows), "now": now}
    return render_page(request, "forecast/page.html", fragment="forecast", ctx=ctx)


class Forecast:
    """Of all workflows, of those with the keys `within`, or of one. Reads the database only when a
    page asks, and what was read less than a minute ago again."""

    words = WORDS
    heads = (*WORDS.values(), DELETED_WORD)

    def __init__(
        self,
        now: datetime,
        workflow: Workflow | None = None,
        *,
        within: frozenset[int] | None = None,
    ) -> None:
        self.now, self.workflow = now, workflow
        self.workflows: list[int] | None = None
        if workflow or within is not None:
            self.workflows = [workflow.pk] if workflow else sorted(within or ())

    @cached_property
    def _known(self) -> tuple[datetime, list[Hour]]:
        key = f"forecast:{hash(tuple(self.workflows)) if self.workflows is not None else ''}"
        return worked_out(key, self.now, lambda: forecast.forecast(self.now, self.workflows))

    @property
    def at(self) -> datetime:
        """When this was worked out."""
        return self._known[0]

    @property
    def hours(self) -> list[Hour]:
        return self._known[1]

    @cached_property
    def coverage(self) -> Coverage | None:
        """Of how many unfinished instances it is known what they wait for."""
        return Progress.objects.coverage_of(self.workflows)

    @property
    def wakes(self) -> int:
        return sum(hour.wakes for hour in self.hours)

    @property
    def deleted(self) -> int:
        return sum(hour.number(DELETED) for hour in self.hours)

    @property
    def is_cut(self) -> bool:
        """True when there may be more than is counted."""
        return any(hour.is_cut for hour in self.hours)

    @property
    def first(self) -> Hour | None:
        """The first hour in which something wakes."""
        return next((hour for hour in self.hours if hour.wakes), None)

    @property
    def fullest(self) -> Hour:
        return max(self.hours, key=lambda hour: hour.wakes)

    @cached_property
    def chart(self) -> Chart:
        columns = [
            (hour.begins, {kind: hour.number(kind) for kind in KINDS}) for hour in self.hours
        ]
        return charts.stacked(columns, KINDS, HOUR)

    @cached_property
    def lines(self) -> list[Line]:
        """The hours in which something happens."""
        found = []
        for hour in self.hours:
            if not hour.numbers:
                continue
            cells = [self._cell(hour, kind) for kind in KINDS]
            found.append(Line(hour, [*cells, Cell(gettext(DELETED_WORD), hour.number(DELETED))]))
        return found

    @property
    def by_workflow(self) -> list[tuple[WorkflowRow[Workflow], list[Cell]]]:
        """Each workflow in which something happens, the fullest first."""
        totals = forecast.totals(self.hours)
        most = Counter({pk: kinds.total() for pk, kinds in totals.items()}).most_common(MOST_SHOWN)
        workflows = Workflow.objects.select_related("account").in_bulk([pk for pk, _ in most])
        found = []
        for pk, _ in most:
            if pk in workflows:
                row = WorkflowRow(workflows[pk], {})
                cells = [self._of_workflow(row, kind, totals[pk][kind]) for kind in KINDS]
                found.append((row, [*cells, Cell(gettext(DELETED_WORD), totals[pk][DELETED])]))
        return found

    def _cell(self, hour: Hour, kind: str) -> Cell:
        of = {"workflow": WorkflowRow(self.workflow, {}).address} if self.workflow else {}
        return Cell(
            gettext(WORDS[kind]), hour.number(kind), _address(kind, hour.begins, hour.ends, **of)
        )

    def _of_workflow(self, row: WorkflowRow[Workflow], kind: str, number: int) -> Cell:
        span = self.hours[0].begins, self.hours[-1].ends
        return Cell(gettext(WORDS[kind]), number, _address(kind, *span, workflow=row.address))


def _address(kind: str, begins: datetime, ends: datetime, **terms: str) -> str:
    """The list of what is due then, in whole seconds."""
    since, until = (
        moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
        for moment in (begins, ends)
    )
    return list_address(phase=kind, due=(f">={since}", f"<{until}"), **terms)
