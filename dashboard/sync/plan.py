"""Pure: what is known + the clock + how many requests may be sent -> what to ask next.

Work is ranked by gain: how many rows it would correct, times the seconds for which they may have
been wrong, for each request that it costs. Cloudflare's counts tell for 100 workflows in one
request how many rows that is; a target without counts is judged by what earlier looks have found.

Two terms keep the ranking fair. What somebody looks at weighs more. And what was not looked at for
long gains with the fourth power of its age, faster than anything that only grows with its rows and
its age, so that no busy workflow keeps a quiet one waiting for ever.
"""

from __future__ import annotations

import enum
import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

PER_PAGE = 100
#: The most requests that one work may be given; more is cut, and goes on in a later work.
LONGEST_WORK = 10
#: The workflow list is read this often, in seconds, and takes at most this share of the requests.
COUNTS_EVERY = 5.0
COUNTS_SHARE = 0.10
#: After so many seconds a workflow is looked at although nothing says that it has changed; later
#: where there are so many that this would take more than its share of the requests.
QUIET_FOR = 300.0
QUIET_SHARE = 0.03
VERSIONS_EVERY = 3600.0
#: While a deep look for errored instances is due or was just made, the newest are enough.
ERRORED_PAUSE = 15.0
DEEP_PAUSE = 240.0
#: Counts can hide a change: one instance errs while another's retention ends.
HIDDEN_SHARE = 0.2
#: Rows per second that change in a workflow of which nothing is known yet.
UNLEARNED = 1 / 30

WATCHED_WEIGHT = 4.0
ERRORED_WEIGHT = 5.0
LARGE_WEIGHT = 0.3
LEFT_WEIGHT = 0.3
UNFINISHED_DETAIL_WEIGHT = 0.01
LEAST_GAIN = 1e-9
#: What was never done is as good as this old, in seconds.
NEVER = 7200.0


class Kind(enum.StrEnum):
    """A way to ask. What each does stands in `works.py`."""

    COUNTS = "counts"
    HEAD = "head"
    GAP = "gap"
    ERRORED = "errored"
    DEEP_ERRORED = "deep-errored"
    PASS = "pass"  # noqa: S105 - a pass over a list
    LEFT = "left"
    DETAILS = "details"
    VERSIONS = "versions"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one workflow. Instants are seconds of one clock; missing ones were never.

    `told`: Cloudflare's counts by status as of `told_at`, None where it gives none. `held`: rows here by status,
    of unfinished statuses and errored. `changed_at`: when the counts were last seen to differ.
    `arrived`: instances that came since the newest page was read, as far as the counts tell.
    `near`: the part of each status's held rows that stood on that page.
    `errored_missing`: errored instances that Cloudflare counts and that are not held.
    `left`: rows that their status's list no longer shows; `left_per_request`: how many of them one
    request settles. `errored_unread`, `unfinished_unread`: rows without details. `gap`: requests to
    close what the newest pages did not reach; `history`: whether older pages were never read.
    `done`: when a kind of work (for a pass, also its status: `pass:waiting`) was last finished.
    `learned`: rows per second that each kind found.
    """

    workflow: int
    told: Mapping[str, int] | None = None
    told_at: float = 0.0
    held: Mapping[str, int] = field(default_factory=dict)
    changed_at: float = 0.0
    arrived: int = 0
    near: Mapping[str, float] = field(default_factory=dict)
    errored_missing: int = 0
    left: int = 0
    left_per_request: float = 3.0
    errored_unread: int = 0
    unfinished_unread: int = 0
    gap: int = 0
    history: bool = False
    has_versions: bool = True
    has_new_version: bool = False
    deep_pages: int = 1
    is_watched: bool = False
    done: Mapping[str, float] = field(default_factory=dict)
    learned: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """An account: its workflows; when its counts were last read; requests per second it may use.

    `unfinished`: the statuses whose lists can be asked for.
    """

    workflows: Sequence[Known]
    counted_at: float | None
    rate: float
    unfinished: Sequence[str]


@dataclass(frozen=True, slots=True)
class Work:
    """The next thing to ask, for at most `cost` requests. `workflow` is None for the counts."""

    kind: Kind
    workflow: int | None
    cost: int
    gain: float
    status: str = ""

    @property
    def name(self) -> str:
        """What `Known.done` calls it."""
        return f"{self.kind}:{self.status}" if self.status else self.kind.value


def plan(state: State, now: float, allowance: int) -> list[Work]:
    """What to ask next for freshness, best first, for at most `allowance` requests in all."""
    since = math.inf if state.counted_at is None else now - state.counted_at
    requests = max(1, -(-len(state.workflows) // PER_PAGE))
    counts = Work(Kind.COUNTS, None, requests, math.inf)
    if since >= counts_interval(requests, state.rate):
        return _cut([counts], allowance)
    works = best(
        (work for known in state.workflows for work in _works(known, state, now)), allowance
    )
    if not works and since >= COUNTS_EVERY:
        return _cut([counts], allowance)
    return works


def plan_history(state: State, allowance: int) -> list[Work]:
    """The back-fill: the workflows whose older pages were never read, watched ones first, then
    those with the fewest instances, so that most workflows are soon complete."""
    wanting = [known for known in state.workflows if known.history]
    wanting.sort(key=lambda known: (not known.is_watched, _total(known.told), known.workflow))
    works = [Work(Kind.HISTORY, known.workflow, LONGEST_WORK, 1.0) for known in wanting]
    return _cut(works, allowance)


def counts_interval(requests: int, rate: float) -> float:
    """Seconds between two readings of the workflow list, which takes so many requests."""
    return max(COUNTS_EVERY, requests / (COUNTS_SHARE * max(rate, 1e-6)))


def learn(known: float | None, found: int, seconds: float) -> float:
    """The rate, in rows per second, after a look that found so many after so long."""
    rate = found / max(seconds, 1.0)
    return rate if known is None else 0.7 * known + 0.3 * rate


def best(works: Iterable[Work], allowance: int) -> list[Work]:
    """The works of most gain that fit into the allowance."""
    worth = [work for work in works if work.gain > LEAST_GAIN]
    # Nothing that costs requests can stand behind `allowance` others that do; the free ones are few.
    top = heapq.nsmallest(allowance + len(Kind), worth, key=_rank)
    return _cut(top, allowance)


def _rank(work: Work) -> tuple[float, int, str]:
    return (-work.gain, work.workflow or 0, work.name)


def _cut(works: Iterable[Work], allowance: int) -> list[Work]:
    """The first of them that the allowance covers; the last one is given less where it can be."""
    fitting = []
    for work in works:
        cost = min(work.cost, allowance)
        if cost < work.cost and (cost == 0 or work.kind is Kind.COUNTS):
            break
        fitting.append(Work(work.kind, work.workflow, cost, work.gain, work.status))
        allowance -= cost
    return fitting


def _works(known: Known, state: State, now: float) -> Iterator[Work]:
    quiet = max(QUIET_FOR, len(state.workflows) / (QUIET_SHARE * max(state.rate, 1e-6)))
    yield from _newest(known, now, quiet)
    yield from _errored(known, now)
    for status in state.unfinished:
        yield from _pass(known, status, now, 2 * quiet)
    yield from _left(known, now)
    yield from _details(known, now)
    yield from _versions(known, now)


def _newest(known: Known, now: float, quiet: float) -> Iterator[Work]:
    age = _age(known, Kind.HEAD, now)
    # The newest page also settles the unfinished ones on it: no pass, and no reads after it.
    near = sum(known.near.get(status, 0.0) * _over(known, status) for status in known.held)
    rows = _rows(known, Kind.HEAD, known.arrived + near, age)
    pages = 1 + int(rows) // PER_PAGE
    gain = rows * age / pages + _overdue(age, quiet)
    yield _work(known, Kind.HEAD, pages, gain)
    if known.gap:
        gain = min(known.gap, LONGEST_WORK) * PER_PAGE * _age(known, Kind.GAP, now) / known.gap
        yield _work(known, Kind.GAP, known.gap, gain)


def _errored(known: Known, now: float) -> Iterator[Work]:
    age = _age(known, Kind.ERRORED, now)
    rows = _rows(known, Kind.ERRORED, known.errored_missing, age)
    # What one look at the newest did not find is deeper, and is looked for there, but not always.
    is_deep = known.errored_missing > 0 and Kind.ERRORED in known.done
    if not is_deep or age >= ERRORED_PAUSE:
        yield _work(known, Kind.ERRORED, 1, ERRORED_WEIGHT * rows * age)
    deep_age = _age(known, Kind.DEEP_ERRORED, now)
    if is_deep and deep_age >= DEEP_PAUSE:
        gain = ERRORED_WEIGHT * known.errored_missing * deep_age / max(1, known.deep_pages)
        yield _work(known, Kind.DEEP_ERRORED, known.deep_pages, gain)


def _pass(known: Known, status: str, now: float, quiet: float) -> Iterator[Work]:
    held = known.held.get(status, 0)
    told = held if known.told is None else known.told.get(status, 0)
    if not held and not told and known.told is not None:
        return
    name = f"{Kind.PASS}:{status}"
    age = _age(known, name, now)
    difference = _over(known, status) * (1 - known.near.get(status, 0.0))
    if not known.arrived and known.told_at > known.done.get(Kind.HEAD, math.inf):
        difference = max(difference, told - held)
    rows = _rows(known, name, difference, age)
    if name not in known.done:
        rows = max(rows, 1.0)
    pages = -(-told // PER_PAGE) if known.told is not None else max(1, -(-held // PER_PAGE))
    weight = LARGE_WEIGHT if pages > LONGEST_WORK else 1.0
    gain = weight * rows * age / max(1, pages) + _overdue(age, quiet * max(1, pages))
    yield _work(known, Kind.PASS, pages, gain, status)


def _left(known: Known, now: float) -> Iterator[Work]:
    if known.left:
        requests = max(1, math.ceil(known.left / max(1.0, known.left_per_request)))
        gain = LEFT_WEIGHT * known.left * _age(known, Kind.LEFT, now) / requests
        yield _work(known, Kind.LEFT, requests, gain)


def _details(known: Known, now: float) -> Iterator[Work]:
    age = _age(known, Kind.DETAILS, now)
    if known.errored_unread:
        yield _work(known, Kind.DETAILS, known.errored_unread, ERRORED_WEIGHT * age)
    elif known.unfinished_unread:
        yield _work(known, Kind.DETAILS, known.unfinished_unread, UNFINISHED_DETAIL_WEIGHT * age)


def _versions(known: Known, now: float) -> Iterator[Work]:
    age = _age(known, Kind.VERSIONS, now)
    if known.has_versions and (age >= VERSIONS_EVERY or (known.has_new_version and age >= 60)):
        yield _work(known, Kind.VERSIONS, 1, age / 60)


def _work(known: Known, kind: Kind, requests: int, gain: float, status: str = "") -> Work:
    weight = WATCHED_WEIGHT if known.is_watched else 1.0
    return Work(kind, known.workflow, min(requests, LONGEST_WORK), gain * weight, status)


def _age(known: Known, name: str, now: float) -> float:
    """Seconds since it was last done; clocks may have been moved back."""
    done = known.done.get(name)
    return NEVER if done is None else max(0.0, now - done)


def _over(known: Known, status: str) -> int:
    """Rows that are held in this status beyond Cloudflare's count: so many have left it."""
    return max(0, known.held.get(status, 0) - known.told.get(status, 0)) if known.told else 0


def _rows(known: Known, name: str, difference: float, age: float) -> float:
    """How many rows the look would correct: as the counts tell, or as earlier looks suggest."""
    rate = known.learned.get(name, UNLEARNED)
    if known.told is None:
        return rate * age if age >= COUNTS_EVERY else 0.0
    done = known.done.get(name, -math.inf)
    if known.told_at <= done:
        return 0.0  # The counts are older than what the look itself has seen.
    if difference > 0:
        return difference
    hidden = HIDDEN_SHARE * known.learned.get(name, 0.0) * age
    return hidden if hidden >= 1 and known.changed_at > done else 0.0


def _overdue(age: float, limit: float) -> float:
    return (age / limit) ** 4 if age >= limit else 0.0


def _total(counts: Mapping[str, int] | None) -> int:
    return sum(counts.values()) if counts else 0
