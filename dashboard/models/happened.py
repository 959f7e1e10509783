"""What a transaction saw begin and end, and how that is added to the periods of history.

Whoever writes instances notes it here and adds it last in the same transaction, behind the tallies
and in the order of the keys, so that nobody waits in a circle.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from dashboard.cloudflare.types import FINISHED, Status
from dashboard.models.durations import rounded
from dashboard.models.history import WorkflowPeriod, days_before, period_of

if TYPE_CHECKING:
    from dashboard.models.instance import Instance

#: A period's row: its workflow's key, when it begins, as SQL, and the version of the instances.
Place = tuple[int, str, str]
#: Where the numbers of a row stand: the created ones, and the ends by status.
CREATED = 0
ENDS = {Status.COMPLETE.value: 1, Status.ERRORED.value: 2, Status.TERMINATED.value: 3}
COLUMNS = ("created", "completed", "errored", "terminated")
#: As much of a moment in SQL as tells its minute.
MINUTE = len("2026-11-20 03:00")
ADD = (
    "INSERT INTO dashboard_workflowperiod "  # noqa: S608 -- names of columns only
    f"(workflow_id, begins_on, version_id, {', '.join(COLUMNS)}, durations) VALUES {{}} "
    "ON CONFLICT (workflow_id, begins_on, version_id) DO UPDATE SET "
    + ", ".join(f"{name} = dashboard_workflowperiod.{name} + excluded.{name}" for name in COLUMNS)
    + " RETURNING workflow_id, begins_on, version_id, id, durations"
)
#: Neither database adds up two JSON objects as fast as Python does. The row is locked by then.
SET_DURATIONS = "UPDATE dashboard_workflowperiod SET durations = %s WHERE id = %s"
#: Rows of one statement: as many as any SQLite takes.
AT_ONCE = 100
took = lru_cache(maxsize=65_536)(rounded)


class Before(NamedTuple):
    """What was known of an instance before Cloudflare spoke of it again."""

    status: str
    version_id: str
    created_on: datetime
    ended_on: datetime | None

    @classmethod
    def of(cls, row: Instance) -> Before:
        return cls(row.status, row.version_id, row.created_on, row.ended_on)


class Happened:
    """`ended`: how many ends of (workflow's key, status) are no older than `watched_since`; none of
    them without it."""

    def __init__(self, now: datetime, watched_since: datetime | None = None) -> None:
        self.now = now
        self.ended: Counter[tuple[int, str]] = Counter()
        self._now = _sql(now)
        self._watched_since = _sql(watched_since) if watched_since else ""
        self._without_durations = _sql(days_before(now))
        self._numbers: defaultdict[Place, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
        self._durations: defaultdict[Place, Counter[int]] = defaultdict(Counter)
        self._periods: dict[str, str] = {}

    def added(self, row: Instance, *, is_end_new: bool = True) -> None:
        """Notes an instance that was not held before. `is_end_new`: its end, if it has ended, was
        not counted either."""
        self._begin(row.workflow_id, row.created_on, row.version_id, 1)
        if is_end_new:
            self._end(row)

    def added_all(self, workflow_id: int, columns: Sequence[Sequence[Any]]) -> None:
        """The same of many, in the order of `bulk_sql.COLUMNS` and as SQL."""
        _, statuses, versions, _, created, modified, _, ended, durations, _ = columns
        begun = Counter(zip([moment[:MINUTE] for moment in created], versions, strict=True))
        for (minute, version_id), number in begun.items():
            self._numbers[self._place(workflow_id, minute, version_id)][CREATED] += number
        ends = [end or change or self._now for end, change in zip(ended, modified, strict=True)]
        minutes = [end[:MINUTE] for end in ends]
        for (status, minute, version_id), number in Counter(
            zip(statuses, minutes, versions, strict=True)
        ).items():
            if status in ENDS:
                self._count_end(workflow_id, minute, version_id, status, number)
        if max(ends) < self._without_durations:
            return
        for status, minute, version_id, milliseconds in zip(
            statuses, minutes, versions, durations, strict=True
        ):
            if status == Status.COMPLETE.value and milliseconds is not None:
                self._took(self._place(workflow_id, minute, version_id), milliseconds)

    def noticed(self, row: Instance, before: Before, *, is_restart: bool, is_reuse: bool) -> None:
        """Notes what has become of an instance that was held before.

        That list and detail both tell the same end makes it no second one, nor that its status was
        unknown for a while; a guess of when it was created moves to when it was.
        """
        if is_reuse or row.created_on != before.created_on:
            self._begin(row.workflow_id, row.created_on, row.version_id, 1)
            if not is_reuse:
                self._begin(row.workflow_id, before.created_on, before.version_id, -1)
        is_told_again = row.ended_on is not None and row.ended_on == before.ended_on
        if is_restart or is_reuse or (row.status != before.status and not is_told_again):
            self._end(row)

    def folded(self, row: WorkflowPeriod) -> None:
        """Notes what was counted in a period that is now part of a longer one."""
        place = self._place(row.workflow_id, _sql(row.begins_on), row.version_id)
        for index, name in enumerate(COLUMNS):
            self._numbers[place][index] += getattr(row, name)
        for milliseconds, number in row.durations.items():
            self._took(place, int(milliseconds), number)

    def add(self) -> None:
        """Adds it all to the periods; call it last, and within the transaction."""
        places = sorted(place for place, numbers in self._numbers.items() if any(numbers))
        for start in range(0, len(places), AT_ONCE):
            some = places[start : start + AT_ONCE]
            values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, '{}')"] * len(some))
            told: list[str | int] = []
            for place in some:
                told += [*place, *self._numbers[place]]
            with connection.cursor() as cursor:
                cursor.execute(ADD.format(values), told)
                durations = [*self._added_up(cursor.fetchall())] if self._durations else []
                if durations:
                    cursor.executemany(SET_DURATIONS, durations)

    def _added_up(self, held: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, int]]:
        """The durations of each row that gets some, and its key; `held` as ADD returns it."""
        for workflow_id, begins_on, version_id, pk, text in held:
            begins = _sql(begins_on) if isinstance(begins_on, datetime) else begins_on
            if more := self._durations.get((workflow_id, begins, version_id)):
                sums = json.loads(text)
                for milliseconds, number in more.items():
                    key = str(milliseconds)
                    sums[key] = sums.get(key, 0) + number
                yield json.dumps(sums, separators=(",", ":")), pk

    def _begin(self, workflow_id: int, created_on: datetime, version_id: str, number: int) -> None:
        self._numbers[self._place(workflow_id, _sql(created_on), version_id)][CREATED] += number

    def _end(self, row: Instance) -> None:
        if row.status not in FINISHED:
            return
        moment = _sql(row.ended_on or row.modified_on or self.now)
        self._count_end(row.workflow_id, moment, row.version_id, row.status, 1)
        if row.status == Status.COMPLETE and row.duration_ms is not None:
            self._took(self._place(row.workflow_id, moment, row.version_id), row.duration_ms)

    def _count_end(
        self, workflow_id: int, moment: str, version_id: str, status: str, number: int
    ) -> None:
        self._numbers[self._place(workflow_id, moment, version_id)][ENDS[status]] += number
        if self._watched_since and moment[:MINUTE] >= self._watched_since[:MINUTE]:
            self.ended[workflow_id, status] += number

    def _took(self, place: Place, milliseconds: int, number: int = 1) -> None:
        if place[1] >= self._without_durations:
            self._durations[place][took(milliseconds)] += number

    def _place(self, workflow_id: int, moment: str, version_id: str) -> Place:
        minute = moment[:MINUTE]
        if minute not in self._periods:
            begins_on = period_of(datetime.fromisoformat(minute).replace(tzinfo=UTC), self.now)
            self._periods[minute] = _sql(begins_on)
        return workflow_id, self._periods[minute], version_id


def _sql(moment: datetime) -> str:
    """A UTC moment as both databases read it, without what is below a second."""
    return moment.isoformat(" ")[:19]
