"""What the instance list shows, worked out from its address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from dashboard.cloudflare.types import Trigger
from dashboard.forms.instance_filters import DEFAULT_SORT, TIME_FIELDS, InstanceFilterForm
from dashboard.models import Instance, Workflow
from dashboard.models.keyset import Page, page_of
from dashboard.views.counts import StatusCount, in_order
from dashboard.views.links import Links

PAGE_SIZE = 50
#: Above this, new instances are not counted further.
NEW_LIMIT = 99
SORTABLE = {"created": "Created", "started": "Started", "ended": "Ended", "duration": "Duration"}
PERIODS = {
    "15m": "last 15 minutes",
    "1h": "last hour",
    "6h": "last 6 hours",
    "24h": "last 24 hours",
    "7d": "last 7 days",
    "30d": "last 30 days",
}
#: Fields that stand beside an input on the page; what is wrong with others is said above the list.
VISIBLE = {"q", "workflow", "trigger", "version", "time", "since", "from", "to"}


@dataclass(frozen=True)
class Heading:
    """The heading of a column that can be sorted by."""

    title: str
    href: str
    aria_sort: str


@dataclass(frozen=True)
class Choice:
    """One value that can be chosen for a filter."""

    value: str
    title: str
    is_chosen: bool
    note: str = ""


class Listing:
    """One page of the list; what is on the page is read again when it is refreshed."""

    def __init__(self, form: InstanceFilterForm, links: Links) -> None:
        self.form = form
        self.links = links
        form.is_valid()  # What could be read is used, whatever else could not.
        self.told = form.cleaned_data.get
        self.matching = Instance.objects.matching(form.filters)

    @cached_property
    def page(self) -> Page[Instance]:
        if shown := self.told("shown"):
            return self._shown_again(shown)
        return page_of(
            self.matching.telling_whether_matching(self.form.filters).with_workflow(),
            self.form.order,
            size=PAGE_SIZE,
            after=self.told("after"),
            before=self.told("before"),
        )

    def _shown_again(self, shown: list[int]) -> Page[Instance]:
        """The same rows in the same order, whatever became of them: nothing moves."""
        rows = Instance.objects.filter(pk__in=shown).with_workflow()
        found = {row.pk: row for row in rows.telling_whether_matching(self.form.filters)}
        return Page([found[pk] for pk in shown if pk in found], self.form.order)

    @cached_property
    def new(self) -> int:
        """How many belong on this page that are not on it yet."""
        shown = self.told("shown")
        if not shown or self.told("before"):
            return 0
        others = self.matching.exclude(pk__in=shown)
        return others.between(self.told("after"), self.told("until"))[: NEW_LIMIT + 1].count()

    @property
    def new_text(self) -> str:
        return f"{NEW_LIMIT}+ new" if self.new > NEW_LIMIT else f"{self.new} new"

    @property
    def show_href(self) -> str:
        return self.links.here()

    @property
    def refresh_href(self) -> str:
        """Where these very rows are read again; without what could not be read the first time."""
        shown = ".".join(str(row.pk) for row in self.page.rows)
        until = str(self.told("until") or self.page.next)
        return self.links.here(leaving_out=self.form.errors, shown=shown, until=until)

    @property
    def previous_href(self) -> str:
        return self.links.replaced(before=self.page.previous) if self.page.previous else ""

    @property
    def next_href(self) -> str:
        return self.links.replaced(after=self.page.next) if self.page.next else ""

    @property
    def first_href(self) -> str:
        return self.links.without()

    @property
    def any_status_href(self) -> str:
        return self.links.without("status")

    @property
    def any_time_href(self) -> str:
        return self.links.without("since", "from", "to")

    @property
    def wider_href(self) -> str:
        """The last week, for who looked at less; "" for who looked at a range of their own."""
        is_range = self.told("from") or self.told("to")
        is_week = str(self.form["since"].value()) in {"7d", "1w", "30d"}
        return "" if is_range or is_week else self.links.replaced(since="7d")

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many fit all filters but that of the status."""
        return Instance.objects.matching(self.form.filters.of_any_status).counts_by_status()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def matches(self) -> int:
        wanted = self.form.filters.statuses
        return sum(self.counts.get(status, 0) for status in wanted) if wanted else self.total

    @property
    def is_part(self) -> bool:
        """True when the page holds fewer rows than fit the filters."""
        return len(self.page.rows) < self.matches

    @property
    def chips(self) -> list[StatusCount]:
        """Every status with its count; a click narrows to it, or takes it back."""
        chosen = self.form.filters.statuses
        return [
            StatusCount(
                status,
                self.counts.get(status, 0),
                self.links.toggled("status", status),
                status in chosen,
            )
            for status in in_order(self.counts, chosen)
        ]

    @property
    def headings(self) -> list[Heading]:
        return [self._heading(name, title) for name, title in SORTABLE.items()]

    def _heading(self, name: str, title: str) -> Heading:
        sort = self.told("sort", DEFAULT_SORT)
        aria_sort = {f"-{name}": "descending", name: "ascending"}.get(sort, "")
        wanted = name if aria_sort == "descending" else f"-{name}"
        is_default = wanted == DEFAULT_SORT
        return Heading(title, self.links.replaced(sort="" if is_default else wanted), aria_sort)

    @cached_property
    def workflows(self) -> list[Choice]:
        """Every workflow once, and those that are asked for but not known here."""
        chosen = self._written("workflow")
        known = {
            f"{workflow.account.account_id}/{workflow.name}": workflow
            for workflow in Workflow.objects.choosable()
        }
        return [
            Choice(value, workflow.name, value in chosen, workflow.account.name)
            for value, workflow in known.items()
        ] + _unlisted(chosen, known)

    @property
    def triggers(self) -> list[Choice]:
        chosen = self._written("trigger")
        known = [trigger.value for trigger in Trigger]
        return [Choice(value, value, value in chosen) for value in known] + _unlisted(chosen, known)

    @property
    def periods(self) -> list[Choice]:
        chosen = str(self.form["since"].value() or "")
        known = [Choice(value, title, value == chosen) for value, title in PERIODS.items()]
        return known + _unlisted({chosen} - {""}, PERIODS)

    def _written(self, name: str) -> set[str]:
        """The values as they were written, readable or not: what is wrong can be mended."""
        return {text for text in self.form[name].value() or () if text}

    @property
    def times(self) -> list[Choice]:
        chosen = self.told("time", "created")
        return [Choice(name, SORTABLE[name], name == chosen) for name in TIME_FIELDS]

    @property
    def from_text(self) -> str:
        return str(self.form["from"].value() or "")

    @property
    def from_errors(self) -> list[str]:
        return [str(text) for text in self.form.errors.get("from", [])]

    @property
    def range_errors(self) -> bool:
        return bool(self.from_errors or self.form.errors.get("to"))

    @property
    def range_text(self) -> str:
        """The range as it was written; "" when there is none."""
        start, end = self.from_text, str(self.form["to"].value() or "")
        return f"{start or '…'} to {end or '…'}" if start or end else ""

    @property
    def is_timed(self) -> bool:
        filters = self.form.filters
        return bool(filters.since or filters.until)

    @property
    def has_filters(self) -> bool:
        return bool(self.form.filters.condition)

    @property
    def is_narrowed(self) -> bool:
        """True when the form below the status chips narrows the list."""
        return bool(self.form.filters.of_any_status.condition)

    @cached_property
    def is_elsewhen(self) -> bool:
        """True when nothing is in the time range and something outside it."""
        outside = Instance.objects.matching(self.form.filters.of_any_time)
        return self.is_timed and outside.exists()

    @property
    def other_errors(self) -> list[str]:
        """What is wrong with parameters that have no input of their own."""
        errors = self.form.errors.items()
        return [str(text) for name, texts in errors if name not in VISIBLE for text in texts]


def _unlisted(chosen: Iterable[str], known: Iterable[str]) -> list[Choice]:
    return [
        Choice(value, value, True, "not known here") for value in sorted(set(chosen) - set(known))
    ]
