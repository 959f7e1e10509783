"""How an operation on many goes: what its page shows, worked out from its items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Count, Max, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from dashboard import operations
from dashboard.forms.selection import in_words
from dashboard.models import Item, Operation, StageChange
from dashboard.models.operation import OPEN_STATES, SETTLED_STATES, Stage, State
from dashboard.models.storing import storable

PER_PAGE = 50
SENTENCES = 20
#: The rate is that of the latest so many.
LATEST = 100
#: What needs somebody first stands first.
ORDER = (
    State.FAILED,
    State.LOST,
    State.SENDING,
    State.ACCEPTED,
    State.DONE,
    State.SKIPPED,
    State.PENDING,
)
#: How the meter is filled, from its left.
METER = (
    State.DONE,
    State.SKIPPED,
    State.FAILED,
    State.LOST,
    State.ACCEPTED,
    State.SENDING,
    State.PENDING,
)


@dataclass(frozen=True)
class Chip:
    """A state with its count, as a filter of the items."""

    state: State
    count: int
    href: str
    is_chosen: bool


@dataclass(frozen=True)
class Segment:
    """A state's part of the meter, in percent."""

    state: State
    x: float
    width: float
    title: str


@dataclass(frozen=True)
class Sentence:
    """What went wrong, in the same words for so many."""

    text: str
    count: int
    href: str


class Progress:
    """One operation on many at this moment. `given`: which of its items are wanted."""

    def __init__(self, operation: Operation, given: QueryDict, now: datetime) -> None:
        self.operation, self.now = operation, now
        self.counts, self.number = operation.counts, operation.number
        self.state = given.get("state", "") if given.get("state") in State.values else ""
        self.says = storable(given.get("says", ""))
        text = given.get("page", "")
        self.wanted_page = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1

    @cached_property
    def settled(self) -> int:
        return sum(self.counts.get(state, 0) for state in SETTLED_STATES)

    @property
    def pending(self) -> int:
        return self.counts.get(State.PENDING, 0)

    @property
    def watched(self) -> int:
        """How many were sent, or may have been, and are not seen to have ended."""
        return sum(self.counts.get(state, 0) for state in OPEN_STATES)

    @property
    def failed(self) -> int:
        return self.counts.get(State.FAILED, 0)

    @property
    def segments(self) -> list[Segment]:
        found, x = [], 0.0
        for state in METER:
            if count := self.counts.get(state, 0):
                width = 100 * count / self.number
                found.append(
                    Segment(state, round(x, 2), round(width, 2), f"{count:,} {state.label}")
                )
                x += width
        return found

    @property
    def chips(self) -> list[Chip]:
        return [
            Chip(
                state,
                self.counts.get(state, 0),
                self._href() if state == self.state else self._href(state=state.value),
                state == self.state,
            )
            for state in ORDER
            if self.counts.get(state) or state == self.state
        ]

    @cached_property
    def wave(self) -> str:
        """Where it is in its waves: "wave 2 of 4"; "" once all were sent."""
        first = self.operation.items.pending().values_list("wave", flat=True).first()
        if first is None:
            return ""
        last = self.operation.items.aggregate(last=Max("wave"))["last"]
        return _("wave %(number)s of %(last)s") % {"number": first, "last": last}

    @cached_property
    def per_minute(self) -> float | None:
        """How many are settled or sent in a minute of late; None while that is not known."""
        handled = self.operation.items.filter(sent_at__isnull=False)
        first = self.operation.items.pending().values_list("pk", flat=True).first()
        if first is not None:
            handled = handled.filter(pk__lt=first)
        latest = handled.order_by("-pk").values_list("sent_at", flat=True)[:LATEST]
        moments = [moment for moment in latest if moment]
        if len(moments) < 2:
            return None
        took = max(moments) - min(moments)
        return None if not took else (len(moments) - 1) / (took / timedelta(minutes=1))

    @property
    def ends_at(self) -> datetime | None:
        """When all will have been sent, if it goes on as of late."""
        if self.operation.stage != Stage.RUNNING or not self.pending or not self.per_minute:
            return None
        return self.now + timedelta(minutes=self.pending / self.per_minute)

    @property
    def resumes_at(self) -> datetime | None:
        """When what holds it up is over."""
        moment = self.operation.next_run_at
        is_held = self.operation.stage == Stage.RUNNING and self.operation.note
        return moment if is_held and moment and moment > self.now else None

    @cached_property
    def sentences(self) -> list[Sentence]:
        """What went wrong, the most frequent first."""
        wrong = self.operation.items.filter(state=State.FAILED).order_by()
        counted = wrong.values_list("note").annotate(number=Count("pk")).order_by("-number", "note")
        return [
            Sentence(note, number, self._href(state=State.FAILED.value, says=note))
            for note, number in counted[:SENTENCES]
        ]

    @property
    def steering(self) -> list[tuple[Stage, str]]:
        """What somebody may do with it now."""
        offered = operations.STEERING.get(Stage(self.operation.stage), {})
        return [(stage, _(word)) for stage, word in offered.items()]

    @cached_property
    def changes(self) -> list[StageChange]:
        return list(self.operation.changes.select_related("changed_by"))

    @property
    def list_words(self) -> list[tuple[str, str]]:
        return in_words(self.operation.list_query)

    @cached_property
    def matching(self) -> int:
        """How many items fit the filters."""
        if self.says:
            return self._items_as(State(self.state or State.FAILED)).count()
        return self.counts.get(self.state, 0) if self.state else self.number

    @property
    def pages(self) -> int:
        return max(1, -(-self.matching // PER_PAGE))

    @property
    def page(self) -> int:
        return min(max(1, self.wanted_page), self.pages)

    @cached_property
    def items(self) -> list[Item]:
        """The items of this page. Each state is an index of its own, so none is passed over."""
        skip, wanted = (self.page - 1) * PER_PAGE, PER_PAGE
        states = [State(self.state)] if self.state else list(ORDER)
        if self.says:
            states = [State(self.state or State.FAILED)]
        found: list[Item] = []
        for state in states:
            count = self.matching if self.says else self.counts.get(state, 0)
            if skip < count and wanted:
                rows = list(self._items_as(state)[skip : skip + wanted])
                found, wanted = found + rows, wanted - len(rows)
            skip = max(0, skip - count)
        return found

    @property
    def previous_href(self) -> str:
        return self._page_href(self.page - 1) if self.page > 1 else ""

    @property
    def next_href(self) -> str:
        return self._page_href(self.page + 1) if self.page < self.pages else ""

    def _items_as(self, state: State) -> QuerySet[Item]:
        found = self.operation.items.filter(state=state).select_related("workflow__account")
        return (found.filter(note=self.says) if self.says else found).order_by("pk")

    def _page_href(self, page: int) -> str:
        return self._href(state=self.state, says=self.says, page=str(page))

    def _href(self, **parameters: str) -> str:
        given = {name: value for name, value in parameters.items() if value}
        path = self.operation.get_absolute_url()
        return f"{path}?{urlencode(given)}#items" if given else path
