"""Pure: how much each kind of work would correct, for each request that it costs.

How many rows it would correct, times the seconds for which they may have been wrong. Two terms keep
that fair. What somebody looks at weighs more. And what was not looked at for long gains with the
fourth power of its age, faster than anything that only grows with its rows and its age, so that no
busy workflow keeps a quiet one waiting for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dashboard.sync.known import LONGEST_WORK, NEVER, PER_PAGE, Kind, Known, State, Work

#: After so short a time nothing is asked again where no counts say that it changed.
SHORTEST = 5.0
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


def works_of(known: Known, state: State, now: float) -> Iterator[Work]:
    """All that could be asked of one workflow, with what it would gain."""
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
        yield _work(known, Kind.GAP, known.gap, PER_PAGE * _age(known, Kind.GAP, now))


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
        gain = UNFINISHED_DETAIL_WEIGHT * age
        yield _work(known, Kind.DETAILS, known.unfinished_unread, gain)


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
        return rate * age if age >= SHORTEST else 0.0
    done = known.done.get(name, -math.inf)
    if known.told_at <= done:
        return 0.0  # The counts are older than what the look itself has seen.
    if difference > 0:
        return difference
    hidden = HIDDEN_SHARE * known.learned.get(name, 0.0) * age
    return hidden if hidden >= 1 and known.changed_at > done else 0.0


def _overdue(age: float, limit: float) -> float:
    return (age / limit) ** 4 if age >= limit else 0.0
