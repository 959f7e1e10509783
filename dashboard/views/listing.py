"""What the instance list shows, worked out from its address."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from typing import ClassVar

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from dashboard.forms.instance_filters import DEFAULT_SORT, InstanceFilterForm
from dashboard.forms.search import KEYS
from dashboard.models import Instance, Progress
from dashboard.models.filters import SHORTEST, Stands
from dashboard.models.keyset import Page, first_keys, page_of
from dashboard.models.list_row import ListRow, list_rows
from dashboard.models.matching import Matching
from dashboard.models.progress import Coverage
from dashboard.templatetags.lists import Chip, Heading
from dashboard.views.links import Links
from dashboard.views.narrowing import Narrowing

PAGE_SIZE = 50
#: Above this, new instances are not counted further.
NEW_LIMIT = 99
SORTABLE = ("created", "started", "ended", "duration")


@dataclass(frozen=True)
class StuckCoverage:
    """Of how many unfinished instances it is known where they stand. `late`: so many should have
    gone on since they were read, LATE_LIMIT for more; whether they have is being looked at."""

    coverage: Coverage | None
    late: int

    LATE_LIMIT: ClassVar = 1_000

    @classmethod
    def of(cls, workflows: Collection[int] | None, now: datetime) -> StuckCoverage:
        rows = Instance.objects.late(now).order_by()
        if workflows is not None:
            rows = rows.among(workflows)
        late = rows.values_list("pk", flat=True)[: cls.LATE_LIMIT].count()
        return cls(Progress.objects.coverage_of(workflows), late)

    @property
    def late_text(self) -> str:
        return _at_least(self.late, self.late < self.LATE_LIMIT)


class Listing:
    """One page of the list; what is on the page is read again when it is refreshed."""

    def __init__(self, form: InstanceFilterForm, links: Links) -> None:
        self.form = form
        self.links = links
        form.is_valid()  # What could be read is used, whatever else could not.
        self.told = form.cleaned_data.get
        self.matching = Matching(Instance.objects.all(), form.filters)
        self.narrowing = Narrowing(form.query, links, self.matching)

    @cached_property
    def page(self) -> Page[ListRow]:
        if shown := self.told("shown"):
            return Page(self._shown_again(shown), self.form.order)
        return page_of(
            self.matching.lists,
            list_rows,
            self.form.order,
            size=PAGE_SIZE,
            after=self.told("after"),
            before=self.told("before"),
        )

    def _shown_again(self, shown: list[int]) -> list[ListRow]:
        """The same rows in the same order, whatever became of them: nothing moves."""
        within = self.form.filters.within
        rows = [row for row in list_rows(shown) if within is None or row.workflow_id in within]
        if self.form.filters:
            still = set(self.matching.rows.filter(pk__in=shown).values_list("pk", flat=True))
            for row in rows:
                row.is_match = row.pk in still
        return rows

    @cached_property
    def new(self) -> int:
        """How many belong on this page that are not on it yet."""
        shown = self.told("shown")
        if not shown or self.told("before"):
            return 0
        lists = [
            rows.between(self.told("after"), self.told("until")) for rows in self.matching.lists
        ]
        keys = first_keys(lists, self.form.order, limit=len(shown) + NEW_LIMIT + 1)
        return len(set(keys) - set(shown))

    @property
    def new_text(self) -> str:
        number = f"{NEW_LIMIT}+" if self.new > NEW_LIMIT else str(self.new)
        return ngettext("%(number)s new", "%(number)s new", self.new) % {"number": number}

    @property
    def show_href(self) -> str:
        return self.links.here()

    @property
    def refresh_href(self) -> str:
        """Where these very rows are read again; without what could not be read the first time."""
        shown = ".".join(str(row.pk) for row in self.page.rows)
        until = str(self.told("until") or self.page.next)
        wrong = set(self.form.errors)
        query = {"q": str(self.form.reading.query)} if "q" in wrong else {}
        return self.links.here(leaving_out=wrong - set(query), shown=shown, until=until, **query)

    @property
    def exports(self) -> dict[str, str]:
        """Where the whole list is had as a file, by the name of its form."""
        return {
            "CSV": self.links.elsewhere(_export("csv")),
            "NDJSON": self.links.elsewhere(_export("ndjson")),
        }

    @cached_property
    def previous_href(self) -> str:
        return self.links.replaced(before=self.page.previous) if self.page.previous else ""

    @cached_property
    def next_href(self) -> str:
        return self.links.replaced(after=self.page.next) if self.page.next else ""

    @property
    def first_href(self) -> str:
        return self.links.without()

    @property
    def all_href(self) -> str:
        return self.links.without("q")

    @property
    def chips(self) -> list[Chip]:
        return self.narrowing.chips(self.matching.counts)

    @property
    def total_text(self) -> str:
        """How many fit all but the status."""
        return _at_least(self.matching.counts.total(), self.matching.counts.is_exact())

    @property
    def matches(self) -> int:
        """How many fit; where `is_exact` is False, at least."""
        return self.matching.counts.total(self.matching.statuses)

    @property
    def is_exact(self) -> bool:
        return self.matching.counts.is_exact(self.matching.statuses)

    @property
    def matches_text(self) -> str:
        return _at_least(self.matches, self.is_exact)

    @property
    def is_part(self) -> bool:
        """True when the page holds fewer rows than fit the filters."""
        return len(self.page.rows) < self.matches

    @property
    def headings(self) -> dict[str, Heading]:
        """By the column that can be sorted by."""
        return {name: self._heading(name) for name in SORTABLE}

    def _heading(self, name: str) -> Heading:
        sort = self.told("sort", DEFAULT_SORT)
        aria_sort = {f"-{name}": "descending", name: "ascending"}.get(sort, "")
        wanted = name if aria_sort == "descending" else f"-{name}"
        is_default = wanted == DEFAULT_SORT
        return Heading(self.links.replaced(sort="" if is_default else wanted), aria_sort)

    @cached_property
    def stuck(self) -> StuckCoverage | None:
        """How much is known of what is asked for, where that is what is stuck."""
        if not any(isinstance(c, Stands) and c.name == "stuck" for c in self.form.filters.clauses):
            return None
        return StuckCoverage.of(self.matching.workflows, self.form.now)

    @property
    def has_filters(self) -> bool:
        return bool(self.form.filters)

    @property
    def short_words(self) -> list[str]:
        """Words too short to be looked for beyond ids."""
        return [text for text in self.form.query.values("") if len(text) < SHORTEST]

    @cached_property
    def is_elsewhen(self) -> bool:
        """True when nothing is in the time range and something outside it."""
        filters = self.form.filters
        if not filters.is_timed:
            return False
        outside = Matching(Instance.objects.all(), filters.of_any_time)
        return bool(first_keys(outside.lists, self.form.order, limit=1))

    @property
    def help_sheet(self) -> SafeString:
        """How to search."""
        return _help_sheet(get_language())

    @property
    def other_errors(self) -> list[str]:
        """What is wrong with parameters that have no input of their own."""
        errors = self.form.errors.items()
        return [str(text) for name, texts in errors if name != "q" for text in texts]


@cache
def _export(form: str) -> str:
    return reverse("export", args=[form])


@cache
def _help_sheet(_language: str) -> SafeString:
    """The same on every page."""
    keys = {name: replace(key, finds=gettext(key.finds)) for name, key in KEYS.items()}
    return render_to_string("instances/search_help.html", {"keys": keys})


def _at_least(number: int, is_exact: bool) -> str:
    return f"{number:,}" if is_exact else f"{number:,}+"
