"""What the list of groups shows, worked out from its address."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.http import QueryDict

from dashboard.forms.groups import PERIODS, GroupFilterForm
from dashboard.insight.group_state import GroupState
from dashboard.insight.spark import Spark, columns, spark
from dashboard.models import Decision, group_figures
from dashboard.models.group_figures import MOST, MOST_UNREAD, GroupFigures
from dashboard.views.recently import worked_out

SHOWN = 25


@dataclass(frozen=True)
class Standing:
    """A group by its key, its state, and how many failed in the period."""

    pk: int
    state: GroupState
    count: int


@dataclass(frozen=True)
class Row:
    """A group in the list; `count`: how many failed in the period."""

    figures: GroupFigures
    count: int
    spark: Spark


@dataclass(frozen=True)
class StateChip:
    """A state that can be chosen, with how many groups are in it."""

    state: GroupState
    number: int
    href: str
    is_chosen: bool


class GroupListing:
    """The groups that were seen in the chosen period. How all of them stand is worked out at most
    once in a minute, and whenever somebody has said something of one; what is shown is of now."""

    def __init__(self, form: GroupFilterForm, now: datetime, given: QueryDict) -> None:
        self.form, self.now, self.given = form, now, given
        self.left_out = 0
        self.word, length, self.step = PERIODS[form.period]
        begin = (now - length).replace(minute=0, second=0, microsecond=0)
        self.since = begin.replace(hour=0) if self.step > timedelta(hours=6) else begin

    @cached_property
    def _known(self) -> tuple[datetime, list[Standing]]:
        within = self.form.within
        of = "all" if within is None else hash(tuple(sorted(within)))
        said = Decision.objects.order_by("-pk").values_list("pk", flat=True).first()
        return worked_out(f"groups:{self.form.period}:{of}:{said}", self.now, self._standing)

    def _standing(self) -> list[Standing]:
        heads = group_figures.heads_seen(self.since, self.form.within)
        found = group_figures.in_brief(heads, since=self.since, now=self.now)
        return [Standing(one.group.pk, one.state, one.since(self.since)) for one in found]

    @property
    def at(self) -> datetime:
        """When it was worked out which groups there are, and how each stands."""
        return self._known[0]

    @property
    def number(self) -> int:
        """How many there are of any state."""
        return len(self._known[1])

    @cached_property
    def rows(self) -> list[Row]:
        """What matters first: by state, then by how many failed."""
        chosen = self.form.states
        fitting = [one for one in self._known[1] if not chosen or one.state.slug in chosen]
        fitting.sort(key=lambda one: (one.state.rank, -one.count))
        self.left_out = max(0, len(fitting) - SHOWN)
        shown = self._figures([one.pk for one in fitting[:SHOWN]])
        group_figures.tell_versions(shown, since=self.since)
        failed = group_figures.by_step(shown, since=self.since, step=self.step)
        return [self._row(one, failed.get(one.group.pk, {})) for one in shown]

    @property
    def chips(self) -> list[StateChip]:
        numbers = Counter(one.state for one in self._known[1])
        return [
            StateChip(state, numbers[state], self._toggled(state), state.slug in self.form.states)
            for state in GroupState
        ]

    @property
    def is_cut(self) -> bool:
        return self.number >= MOST

    @cached_property
    def unread(self) -> int:
        """Errored instances that are in no group yet."""
        return group_figures.unread(self.form.within)

    @property
    def unread_text(self) -> str:
        return f"{self.unread:,}{'+' * (self.unread == MOST_UNREAD)}"

    @property
    def unread_query(self) -> str:
        """Finds them in the list of instances."""
        workflow = self.form.cleaned_data.get("workflow", "")
        return "status:errored -is:read" + (f" workflow:{workflow}" if workflow else "")

    def _figures(self, pks: list[int]) -> list[GroupFigures]:
        """In the same order."""
        groups = sorted(group_figures.of_keys(pks), key=lambda group: pks.index(group.pk))
        return group_figures.in_brief(groups, since=self.since, now=self.now)

    def _row(self, figures: GroupFigures, failed: dict[datetime, int]) -> Row:
        counted = columns(failed, since=self.since, now=self.now, step=self.step)
        return Row(figures, figures.since(self.since), spark(counted, self.step))

    def _toggled(self, state: GroupState) -> str:
        query, states = self.given.copy(), [*self.given.getlist("state")]
        if state.slug in states:
            states.remove(state.slug)
        else:
            states.append(state.slug)
        query.setlist("state", states)
        return f"?{query.urlencode(safe='/')}"
