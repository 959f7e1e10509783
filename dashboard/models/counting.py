"""How many instances fit, by status: exactly where that is cheap, else up to a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from dashboard.models import by_hand, tallies

if TYPE_CHECKING:
    from dashboard.models.matching import Matching

#: More of a status than this are not counted.
LIMIT = 1_000
#: Of a status that has more rows than this, only so many are looked at, the newest.
LOOKED_AT = 5_000
#: Stands in a statement for a status that is put there; no search holds one.
STATUS = "\0"


@dataclass(frozen=True)
class Counts:
    """Numbers by status; of a status in `more` there are at least so many."""

    numbers: dict[str, int]
    more: frozenset[str] = frozenset()

    def total(self, statuses: Iterable[str] | None = None) -> int:
        """The sum over these statuses, or over all."""
        some = self.numbers if statuses is None else set(statuses)
        return sum(self.numbers.get(status, 0) for status in some)

    def is_exact(self, statuses: Iterable[str] | None = None) -> bool:
        """False when there may be more than `total` says."""
        return not self.more if statuses is None else self.more.isdisjoint(statuses)


def counts(matching: Matching) -> Counts:
    """What fits all but the chosen statuses. The one place that decides where counts come from."""
    if not matching.filters.clauses and not matching.filters.groups:
        return Counts(tallies.counts(matching.workflows))
    if matching.groups is not None and matching.keys is None:
        return _of_groups(matching)
    if matching.keys is not None:
        return Counts(matching.narrowed(None, matching.workflows).counts_by_status())
    if matching.own:
        return _of_own_index(matching)
    return _up_to_limit(matching)


def _of_groups(matching: Matching) -> Counts:
    """Counts rows of groups on, until there are enough to say "1,000+"."""
    rows = matching.narrowed(None, matching.workflows).order_by()
    counted = Counter(rows.values_list("status", flat=True)[: LIMIT + 1])
    more = frozenset(counted) if counted.total() > LIMIT else frozenset()
    return Counts({status: min(number, LIMIT) for status, number in counted.items()}, more)


def _of_own_index(matching: Matching) -> Counts:
    """Counts what an index of its own holds on, as `_of_groups` does; where more narrows, among as
    many of it as are looked at."""
    is_all = [*matching.own] == [*matching.filters.clauses] and matching.workflows is None
    if is_all:
        rows = matching.owned
    else:
        rows = matching.narrowed(None, matching.workflows).order_by()
        rows = rows.filter(pk__in=matching.owned[:LOOKED_AT].values("pk"))
    counted = Counter(rows.values_list("status", flat=True)[: LIMIT + 1])
    held = frozenset(tallies.counts(matching.workflows))
    more = held if counted.total() > LIMIT or not is_all else frozenset()
    return Counts({status: min(number, LIMIT) for status, number in counted.items()}, more)


def _up_to_limit(matching: Matching) -> Counts:
    """Counts each status on, newest first, until there are enough to say "1,000+"."""
    held = tallies.counts(matching.workflows)
    statements: dict[bool, tuple[str, tuple[Any, ...]]] = {}
    parts, arguments = [], []
    for status, number in held.items():
        only_newest = number > LOOKED_AT and not matching.is_indexed
        if only_newest not in statements:
            statements[only_newest] = _of_one_status(matching, only_newest=only_newest)
        statement, values = statements[only_newest]
        parts.append(f"SELECT %s, count(*) FROM ({statement}) AS counted")  # noqa: S608
        arguments += [status, *(status if value == STATUS else value for value in values)]
    if not parts:
        return Counts({})
    # Where indexes alone narrow, the plan is the same whatever the values are.
    with by_hand.prepared() if matching.is_indexed else connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), arguments)
        numbers = dict(cursor.fetchall())
    more = frozenset(
        status
        for status, number in numbers.items()
        if number > LIMIT or (held[status] > LOOKED_AT and not matching.is_indexed)
    )
    return Counts({status: min(number, LIMIT) for status, number in numbers.items()}, more)


def _of_one_status(matching: Matching, *, only_newest: bool) -> tuple[str, tuple[Any, ...]]:
    """What selects the rows to be counted, and its values with STATUS for the status: it differs in
    nothing else, and to write it takes longer than to count."""
    rows = matching.narrowed([STATUS], matching.workflows)
    if only_newest:
        newest = matching.newest(STATUS)[:LOOKED_AT]
        rows = rows.filter(pk__in=newest.values("pk"))
    return rows.order_by().values_list("pk")[: LIMIT + 1].query.sql_with_params()
