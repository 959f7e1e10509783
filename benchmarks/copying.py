"""A simulated local copy of one workflow: what each kind of work teaches it, and what it costs.

The same rules as `dashboard/sync/works.py`, over arrays: a row is only *told* to have ended when an
answer shows it so; a row that its status's list no longer shows is merely *noticed* to have left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import replace
from math import inf

from benchmarks.bucket import Bucket
from benchmarks.world import Truth
from dashboard.sync.known import PER_PAGE, Kind, Known, Work, learn

#: The newest pages are read so many seconds further back than they were read before.
OVERLAP = 10.0
SLOW, FAST = "waiting", "running"


class Copy:
    """What is held of one workflow. Each request is taken from the bucket, which tells the time."""

    def __init__(
        self,
        number: int,
        truth: Truth,
        bucket: Bucket,
        has_counts: bool,
    ) -> None:
        self.truth, self.bucket, self.has_counts = truth, bucket, has_counts
        rows = len(truth.created)
        self.seen_at, self.noticed_at, self.told_at = [inf] * rows, [inf] * rows, [inf] * rows
        self.known = Known(number, done={}, has_versions=False)
        self.mark = truth.count(0.0)
        self.active: dict[str, list[int]] = {FAST: [], SLOW: []}
        self.left: list[int] = []
        self.hinted: list[int] = []
        self.places: dict[str, int] = {}
        self.began: dict[str, float] = {}
        self.gaps: list[tuple[int, int]] = []
        self.errored = self.offset = self.errored_deep = 0
        self.head_total = self._corrected = 0
        self._deep_pages = 0
        for row in range(self.mark):
            self._show(row, 0.0)
        self.head_total = self.mark
        self._find_near()
        self.count()

    def now(self) -> float:
        """The bucket's clock."""
        return self.bucket.now

    def count(self) -> None:
        """Takes over Cloudflare's counts, and what they mean for what is held."""
        if self.has_counts:
            now, told = self.now(), self.truth.counts(self.now())
            changed_at = now if told != self.known.told else self.known.changed_at
            self.known = replace(self.known, told=told, told_at=now, changed_at=changed_at)
        self._refresh()

    def hint(self, row: int) -> None:
        """An event tells that this one failed."""
        if self.told_at[row] == inf:
            self.hinted.append(row)
            self._refresh()

    def read_at(self, row: int, instant: float) -> None:
        """Somebody else has read the detail of this one, at that instant."""
        if self.told_at[row] == inf:
            self.bucket.spend(is_urgent=True)
            self._show(row, instant)
            self._refresh()

    def do(self, work: Work) -> None:
        """Does one work; notes when it was finished, or began if a pass, and what it corrected."""
        before = self._corrected
        began = self.began.setdefault(work.name, self.now())
        is_whole = _WORKS[work.kind](self, work)
        now, name, known = self.now(), work.name, self.known
        if is_whole:
            del self.began[name]
            seconds = now - known.done.get(name, now - 60)
            rate = learn(known.learned.get(name), self._corrected - before, seconds)
            done_at = began if work.kind is Kind.PASS else now
            self.known = replace(
                known, done={**known.done, name: done_at}, learned={**known.learned, name: rate}
            )
        self._refresh()

    def _refresh(self) -> None:
        told = self.known.told or {}
        self.offset = min(self.offset, told.get("errored", 0) - self.errored)
        missing = max(0, told.get("errored", 0) - self.errored - self.offset)
        self.errored_deep = min(self.errored_deep, missing)
        self.known = replace(
            self.known,
            held={status: len(rows) for status, rows in self.active.items()},
            arrived=max(0, sum(told.values()) - self.head_total),
            errored_missing=missing,
            errored_deep=self.errored_deep,
            left=len(self.left),
            hinted_failures=len(self.hinted),
            gap=sum(-(-(until - since) // PER_PAGE) for since, until in self.gaps),
        )

    def _show(self, row: int, now: float) -> None:
        """An answer shows this row as it is now."""
        truth = self.truth
        status = SLOW if truth.is_slow[row] else FAST
        is_new = self.seen_at[row] == inf
        self.seen_at[row] = min(self.seen_at[row], now)
        self._corrected += is_new
        if truth.ends[row] > now:
            if is_new:
                insort(self.active[status], row)
            return
        if self.told_at[row] < inf:
            return
        self.told_at[row] = now
        self.errored += truth.is_erring[row]
        if not is_new:
            self._corrected += 1
            _drop(self.left if self.noticed_at[row] < inf else self.active[status], row)

    def _show_range(self, since: int, until: int) -> None:
        now = self.now()
        held = [
            row
            for rows in (*self.active.values(), self.left)
            for row in _between(rows, since, until)
        ]
        fresh = [row for row in range(since, until) if self.seen_at[row] == inf]
        for row in [*held, *fresh]:
            self._show(row, now)

    def _head(self, work: Work) -> bool:
        """The newest pages, back to the mark; what the allowance does not reach stays a gap."""
        total = self.truth.count(self.now())
        last = self.truth.created[self.mark - 1] if self.mark else 0.0
        since = bisect_left(self.truth.created, last - OVERLAP)
        pages = min(max(1, -(-(total - since) // PER_PAGE)), max(1, work.cost))
        for page in range(pages):
            self.bucket.spend()
            until = total - page * PER_PAGE
            self._show_range(max(0, until - PER_PAGE), until)
        reached = max(0, total - pages * PER_PAGE)
        if reached > self.mark:
            self.gaps.append((self.mark, reached))
        self.mark = total
        self._find_near()
        self.head_total = max(sum((self.known.told or {}).values()), total)
        return True

    def _find_near(self) -> None:
        near = {
            status: len(_between(rows, self.mark - PER_PAGE, self.mark)) / max(1, len(rows))
            for status, rows in self.active.items()
        }
        self.known = replace(self.known, near=near)

    def _gap(self, work: Work) -> bool:
        for _ in range(work.cost):
            if not self.gaps:
                break
            since, until = self.gaps.pop()
            self.bucket.spend()
            lower = max(0, until - PER_PAGE)
            self._show_range(lower, until)
            if lower > since:
                self.gaps.append((since, lower))
        return not self.gaps

    def _errored(self, _work: Work) -> bool:
        self.bucket.spend()
        self._show_errored(bisect_left(self.truth.erring, self.truth.count(self.now())), 0)
        self._refresh()
        self.errored_deep = self.known.errored_missing
        return True

    def _deep_errored(self, work: Work) -> bool:
        """The errored list, back to where only one unfinished instance in twenty is older."""
        active = self.active[SLOW] or self.active[FAST]
        oldest = active[len(active) // 20] if active else self.mark
        place = self.places.get("deep", bisect_left(self.truth.erring, self.mark))
        for _ in range(work.cost):
            self.bucket.spend()
            self._deep_pages += 1
            place = self._show_errored(place, oldest)
            if place <= 0 or self.truth.erring[place - 1] < oldest:
                self.places.pop("deep", None)
                self.known = replace(self.known, deep_pages=self._deep_pages)
                self._deep_pages = 0
                self.offset = (self.known.told or {}).get("errored", 0) - self.errored
                return True
        self.places["deep"] = place
        return False

    def _show_errored(self, place: int, oldest: int) -> int:
        """One page of the errored list, from `place` among the erring rows; the place after it."""
        now, shown = self.now(), 0
        while place > 0 and shown < PER_PAGE and self.truth.erring[place - 1] >= oldest:
            place -= 1
            row = self.truth.erring[place]
            if self.truth.ends[row] <= now:
                self._show(row, now)
                shown += 1
        return place

    def _pass(self, work: Work) -> bool:
        """The list of one status, newest first; held rows that it does not show have left it."""
        rows = self.active[work.status]
        high = bisect_left(rows, self.places.pop(work.name, len(self.truth.created)))
        for _ in range(work.cost):
            self.bucket.spend()
        now, wanted, low = self.now(), work.cost * PER_PAGE, high
        gone = []
        while low > 0 and (wanted > 0 or work.cost == 0):
            low -= 1
            if self.truth.ends[rows[low]] > now:
                wanted -= 1
            else:
                gone.append(rows[low])
        place = rows[low] if low else 0
        for row in gone:
            self.noticed_at[row] = now
            insort(self.left, row)
        self._corrected += len(gone)
        leaving = set(gone)
        rows[low:high] = [row for row in rows[low:high] if row not in leaving]
        if low:
            self.places[work.name] = place
        return low == 0

    def _read_hinted(self, work: Work) -> bool:
        for row in self.hinted[: work.cost]:
            self.bucket.spend(is_urgent=True)
            self._show(row, self.now())
        self.hinted = [row for row in self.hinted[work.cost :] if self.told_at[row] == inf]
        return True

    def _settle(self, work: Work) -> bool:
        """Rows that left their lists: a page of the whole list where several lie together, or else
        the detail of one."""
        before = len(self.left)
        for _ in range(work.cost):
            if not self.left:
                break
            at = bisect_left(self.left, self.places.get("left", len(self.truth.created))) - 1
            row = self.left[at]
            self.bucket.spend()
            together = _between(self.left, row + 1 - PER_PAGE, row + 1)
            if len(together) > 1:
                self._show_range(max(0, row + 1 - PER_PAGE), row + 1)
            else:
                self._show(row, self.now())
            self.places["left"] = together[0]
        per_request = (before - len(self.left)) / max(1, work.cost)
        rate = 0.7 * self.known.left_per_request + 0.3 * per_request
        self.known = replace(self.known, left_per_request=rate)
        return True


_WORKS: dict[Kind, Callable[[Copy, Work], bool]] = {
    Kind.HEAD: Copy._head,
    Kind.GAP: Copy._gap,
    Kind.ERRORED: Copy._errored,
    Kind.DEEP_ERRORED: Copy._deep_errored,
    Kind.PASS: Copy._pass,
    Kind.LEFT: Copy._settle,
    Kind.HINTED: Copy._read_hinted,
}


def _between(rows: list[int], since: int, until: int) -> list[int]:
    return rows[bisect_left(rows, since) : bisect_left(rows, until)]


def _drop(rows: list[int], row: int) -> None:
    at = bisect_right(rows, row) - 1
    if at >= 0 and rows[at] == row:
        del rows[at]
