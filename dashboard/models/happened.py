"""What a transaction saw begin and end, and how that is added to the periods of history.

Whoever writes instances notes it here and adds it last in the same transaction, behind the tallies
and in the order of the keys, so that nobody waits in a circle.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from dashboard.cloudflare.types import FINISHED, Status
from dashboard.models.durations import rounded
from dashboard.models.history import Periods, WorkflowPeriod, text

if TYPE_CHECKING:
    from dashboard.models.instance import Instance

#: A period's row: its workflow's key, when it begins, as SQL, and the version of the instances.
Place = tuple[int, str, str]
#: Where the numbers of a row stand: the created ones, and the ends by status.
CREATED = 0
ENDS = {Status.COMPLETE.value: 1, Status.ERRORED.value: 2, Status.TERMINATED.value: 3}
COLUMNS = ("created", "completed", "errored", "terminated")
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
COMPLETE = Status.COMPLETE.value


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
        self._now = text(now)
        self._watched_since = text(watched_since) if watched_since else "9999"
        self._periods = Periods(now)
        self._numbers: defaultdict[Place, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
        self._durations: defaultdict[Place, Counter[int]] = defaultdict(Counter)

    def added(self, row: Instance, *, is_end_new: bool = True) -> None:
        """Notes an instance that was not held before. `is_end_new`: its end, if it has ended, was
        not counted either."""
        self._begin(row.workflow_id, row.created_on, row.version_id, 1)
        if is_end_new:
            self._end(row)

    def added_all(self, workflow_id: int, columns: Sequence[Sequence[Any]]) -> None:
        """The same of many, in the order of `bulk_sql.COLUMNS` and as SQL."""
        _, statuses, versions, _, created, modified, _, ended, durations, _ = columns
        begun = Counter(zip(self._periods.begin_all(created), versions, strict=True))
        for (period, version_id), number in begun.items():
            self._numbers[workflow_id, period, version_id][CREATED] += number
        ends = [end or change or self._now for end, change in zip(ended, modified, strict=True)]
        periods = self._periods.begin_all(ends)
        found = Counter(zip(statuses, periods, versions, strict=True))
        for (status, period, version_id), number in found.items():
            if status in ENDS:
                self._numbers[workflow_id, period, version_id][ENDS[status]] += number
        if max(ends) >= self._watched_since:
            self.ended.update(
                (workflow_id, status)
                for status, end in zip(statuses, ends, strict=True)
                if status in ENDS and end >= self._watched_since
            )
        if max(periods) >= self._periods.days_before:
            self._took_all(workflow_id, zip(statuses, periods, versions, durations, strict=True))

    def _took_all(self, workflow_id: int, rows: Iterable[tuple[Any, ...]]) -> None:
        told: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for status, period, version_id, milliseconds in rows:
            if status == COMPLETE and milliseconds is not None:
                told[period, version_id].append(milliseconds)
        for (period, version_id), some in told.items():
            if period >= self._periods.days_before:
                self._durations[workflow_id, period, version_id].update(map(rounded, some))

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
        place = row.workflow_id, self._periods.begin(text(row.begins_on)), row.version_id
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
        for workflow_id, begins_on, version_id, pk, durations in held:
            begins = text(begins_on) if isinstance(begins_on, datetime) else begins_on
            if more := self._durations.get((workflow_id, begins, version_id)):
                sums = json.loads(durations)
                for milliseconds, number in more.items():
                    key = str(milliseconds)
                    sums[key] = sums.get(key, 0) + number
                yield json.dumps(sums, separators=(",", ":")), pk

    def _begin(self, workflow_id: int, created_on: datetime, version_id: str, number: int) -> None:
        place = workflow_id, self._periods.begin(text(created_on)), version_id
        self._numbers[place][CREATED] += number

    def _end(self, row: Instance) -> None:
        if row.status not in FINISHED:
            return
        moment = text(row.ended_on or row.modified_on or self.now)
        place = row.workflow_id, self._periods.begin(moment), row.version_id
        self._numbers[place][ENDS[row.status]] += 1
        if moment >= self._watched_since:
            self.ended[row.workflow_id, row.status] += 1
        if row.status == COMPLETE and row.duration_ms is not None:
            self._took(place, row.duration_ms)

    def _took(self, place: Place, milliseconds: int, number: int = 1) -> None:
        if place[1] >= self._periods.days_before:
            self._durations[place][rounded(milliseconds)] += number
