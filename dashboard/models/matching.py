"""The instances that fit some filters, found by the indexes that there are.

Some kinds of narrowing are known to the indexes: statuses, workflows, groups of failures, and what
holds of few rows: a text that stands in them, or that something is kept of them. Several statuses
or workflows, or several groups, are read as one list each and merged, for a plain `IN` reads and
sorts all of them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q

from dashboard.cloudflare.types import FINISHED
from dashboard.models import counting, error_group, search_index, tallies
from dashboard.models.filters import Choice, Clause, Due, InstanceFilters, InState, Stands, Within
from dashboard.models.places import Place, places
from dashboard.models.snapshot import kept_instances

if TYPE_CHECKING:
    from dashboard.models.instance import InstanceQuerySet

#: What more instances have is so common that reading the list in its order meets it soon.
FEW = 1_000
#: More lists than this are not worth merging.
MOST_LISTS = 40


class Matching:
    """The rows of `among` that fit `filters`. Asks the database at most once for each thing."""

    def __init__(self, among: InstanceQuerySet, filters: InstanceFilters) -> None:
        self.among = among
        self.filters = filters

    @property
    def rows(self) -> InstanceQuerySet:
        """All of them, in no order."""
        return self.narrowed(self.statuses, self.workflows)

    @property
    def lists(self) -> list[InstanceQuerySet]:
        """Querysets that together hold every row once; each follows one index from its start."""
        if self.groups is not None and self.keys is None:
            return self._lists_of_groups(self.groups)
        statuses: list[list[str] | None] = [self.statuses]
        workflows: list[list[int] | None] = [self.workflows]
        if self.keys is None and self.statuses:
            statuses = [[status] for status in self.statuses]
        is_few = len(statuses) * len(self.workflows or ()) <= MOST_LISTS
        if self.keys is None and self.workflows and is_few:
            workflows = [[pk] for pk in self.workflows]
        return [self.narrowed(some, of) for some in statuses for of in workflows]

    def _lists_of_groups(self, groups: list[int]) -> list[InstanceQuerySet]:
        """One for each group and status; nearly all of a group stand errored."""
        statuses = sorted(tallies.counts()) if self.statuses is None else self.statuses
        if len(groups) * len(statuses) > MOST_LISTS:
            return [self.narrowed(self.statuses, self.workflows)]
        return [
            self.narrowed([status], self.workflows, [pk]) for pk in groups for status in statuses
        ]

    def narrowed(
        self,
        statuses: list[str] | None,
        workflows: list[int] | None,
        groups: list[int] | None = None,
    ) -> InstanceQuerySet:
        """Those of the rows, whatever their status, that have one of these; None: any, but of all
        groups only those that are wanted."""
        rows = self.among.filter(self._rest) if self._rest else self.among
        if (groups := self.groups if groups is None else groups) is not None:
            rows = rows.filter(_in("error_group", groups))
        if self.keys is not None:
            rows = rows.filter(pk__in=self.keys)
        if statuses is not None:
            rows = rows.filter(_in("status", statuses))
        return rows if workflows is None else rows.filter(_in("workflow", workflows))

    @cached_property
    def counts(self) -> counting.Counts:
        """How many there are of each status, if none were chosen."""
        return counting.counts(self)

    @cached_property
    def statuses(self) -> list[str] | None:
        """The statuses that are wanted; None: any."""
        wanted, unwanted = self.filters.statuses.wanted, {*self.filters.statuses.unwanted}
        if InState("finished") in self.filters.clauses:
            wanted = tuple(sorted(FINISHED)) if wanted is None else wanted
        if InState("unfinished") in self.filters.clauses:
            unwanted |= FINISHED
        if wanted is None and not unwanted:
            return None
        known = sorted(tallies.counts()) if wanted is None else wanted
        return [status for status in known if status not in unwanted]

    @cached_property
    def workflows(self) -> list[int] | None:
        """The keys of the workflows that are wanted; None: any."""
        accounts, workflows = self.filters.accounts, self.filters.workflows
        within = self.filters.within
        if not accounts and not workflows:
            return None if within is None else sorted(within)
        return [
            place.pk
            for place in self.places
            if _is_chosen(accounts, {place.account_id, place.account_name})
            and _is_chosen(workflows, place.names)
        ]

    @cached_property
    def places(self) -> list[Place]:
        """Each workflow that may be seen."""
        within = self.filters.within
        return [place for place in places() if within is None or place.pk in within]

    @cached_property
    def groups(self) -> list[int] | None:
        """The keys of the groups of failures that are wanted; None: any."""
        wanted = self.filters.groups.wanted
        if wanted is None:
            return None
        return sorted({pk for text in wanted for pk in error_group.family(int(text))})

    @property
    def keys(self) -> set[int] | None:
        """The rows of what is looked for, where an index knows them and they are few; None: any."""
        return self._found[0]

    @property
    def is_indexed(self) -> bool:
        """True when nothing but status, workflow and time of creation narrows."""
        return all(_is_indexed(clause) for clause in self.filters.clauses)

    @cached_property
    def own(self) -> list[Clause]:
        """What is asked for that has an index of its own."""
        return [clause for clause in self.filters.clauses if _has_own_index(clause)]

    @property
    def owned(self) -> InstanceQuerySet:
        """The rows of which that holds, in the order of such an index: without one, PostgreSQL
        hopes to meet enough of them in any part of the table."""
        rows = self.among
        for clause in self.own:
            rows = rows.filter(clause.condition)
        is_due = any(isinstance(clause, Due) for clause in self.own)
        return rows.order_by(*(["due_on"] if is_due else ["-created_on", "-pk"]))

    def newest(self, status: str) -> InstanceQuerySet:
        """The rows of a status as far as the indexes narrow, the newest first."""
        rows = self.among.filter(_in("status", [status]))
        if self.workflows is not None:
            rows = rows.filter(_in("workflow", self.workflows))
        for clause in filter(_is_indexed, self.filters.clauses):
            rows = rows.filter(clause.condition)
        return rows.order_by("-created_on", "-pk")

    @property
    def _rest(self) -> Q:
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[set[int] | None, Q]:
        """The keys, and what else must hold of a row whatever its status and workflow."""
        keys = self._few()
        rest = Q()
        for text in self.filters.groups.unwanted:
            among = Q(error_group__in=error_group.family(int(text)))
            rest &= Q(error_group=None) | ~among
        for clause in self.filters.clauses:
            if keys is not None and clause in self.own:
                continue
            found = _keys_of(clause)
            if found is None:
                rest &= clause.condition
            else:
                keys = found if keys is None else keys & found
        return keys, rest

    def _few(self) -> set[int] | None:
        """The keys of what fits these clauses, if they are few: it may lie far back in any
        order."""
        if not self.own:
            return None
        keys = set(self.owned.values_list("pk", flat=True)[: FEW + 1])
        return keys if len(keys) <= FEW else None


def _keys_of(clause: Clause) -> set[int] | None:
    """The rows of which it holds, where they are few and found without reading the others."""
    if isinstance(clause, Stands) and clause.name == "kept":
        return kept_instances(FEW)
    return search_index.found(clause, FEW)


def _in(column: str, values: list[str] | list[int]) -> Q:
    """A single value is asked for by `=`: only then does an index go on in order."""
    return Q((column, values[0])) if len(values) == 1 else Q((f"{column}__in", values))


def _has_own_index(clause: Clause) -> bool:
    return isinstance(clause, Due) or (isinstance(clause, Stands) and clause.name == "stuck")


def _is_indexed(clause: Clause) -> bool:
    return isinstance(clause, Within) and clause.column == "created_on"


def _is_chosen(choice: Choice, names: set[str]) -> bool:
    if choice.wanted is not None and names.isdisjoint(choice.wanted):
        return False
    return names.isdisjoint(choice.unwanted)
