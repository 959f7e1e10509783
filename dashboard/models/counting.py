"""How many instances fit, by status: exactly where that is cheap, else up to a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from dashboard.models import tallies

if TYPE_CHECKING:
    from dashboard.models.matching import Matching

#: More of a status than this are not counted.
LIMIT = 1_000
#: Of a status that has more rows than this, only so many are looked at, the newest.
LOOKED_AT = 5_000


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
    if not matching.filters.clauses:
        return Counts(tallies.counts(matching.workflows))
    if matching.keys is not None:
        return Counts(matching.narrowed(None, matching.workflows).counts_by_status())
    return _up_to_limit(matching)


def _up_to_limit(matching: Matching) -> Counts:
    """Counts each status on, newest first, until there are enough to say "1,000+"."""
    held = tallies.counts(matching.workflows)
    parts, arguments = [], []
    for status in held:
        rows = matching.narrowed([status], matching.workflows)
        if held[status] > LOOKED_AT and not matching.is_indexed:
            newest = matching.newest(status)[:LOOKED_AT]
            rows = rows.filter(pk__in=newest.values("pk"))
        statement, values = rows.order_by().values_list("pk")[: LIMIT + 1].query.sql_with_params()
        parts.append(f"SELECT %s, count(*) FROM ({statement}) AS counted")  # noqa: S608
        arguments += [status, *values]
    if not parts:
        return Counts({})
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), arguments)
        numbers = dict(cursor.fetchall())
    more = frozenset(
        status
        for status, number in numbers.items()
        if number > LIMIT or (held[status] > LOOKED_AT and not matching.is_indexed)
    )
    return Counts({status: min(number, LIMIT) for status, number in numbers.items()}, more)
