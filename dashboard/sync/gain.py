"""Pure: how much each kind of work would correct, for each request that it costs.

How many rows it would correct, times the seconds for which they may have been wrong. Two terms keep
that fair. What somebody looks at weighs more. And what was not looked at for long gains with the
fourth power of its age, faster than anything that only grows with its rows and its age, so that no
busy workflow keeps a quiet one waiting for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dashboard.sync.known import LONGEST_WORK, NEVER, PER_PAGE, UNLEARNED, Kind, Known, State

#: After so short a time nothing is asked again where no counts say that it changed, nor a row that
#: a list shows and whose detail is not there yet.
SHORTEST = 5.0
#: After so many seconds a workflow is looked at although nothing says that it has changed; later
#: where there are so many that this would take more than its share of the requests.
QUIET_FOR = 300.0
QUIET_SHARE = 0.03
VERSIONS_EVERY = 3600.0
#: Counts can hide a change: one instance errs while another's retention ends.
HIDDEN_SHARE = 0.2
WATCHED_WEIGHT = 4.0
ERRORED_WEIGHT = 4.0
#: A pass tells that rows have left their status, not yet what became of them; without counts it is
#: the only thing that tells of them at all.
PASS_WEIGHT, BLIND_PASS_WEIGHT = 0.14, 0.4
#: A pass over a list that was last begun so many seconds ago is late.
LATE = 3600.0
LEFT_WEIGHT = 0.25
PASS_OF = f"{Kind.PASS}:"
#: More than rows and age can be worth: an event has told which instance failed.
HINTED_GAIN = 1e15


class Offer(NamedTuple):
    """What could be asked of a workflow: so much gain for each of at most `cost` requests.

    `is_urgent`: somebody looks at it, or waits to see why an instance failed. `is_late`: much else
    has gained more for so long that a part of the requests is set aside for it.
    """

    gain: float
    workflow: int
    kind: Kind
    status: str
    cost: int
    is_urgent: bool = False
    is_late: bool = False


def quiet_for(state: State) -> float:
    """Seconds after which a workflow is looked at although nothing says that it has changed."""
    return max(QUIET_FOR, len(state.workflows) / (QUIET_SHARE * max(state.rate, 1e-6)))


def offers_of(known: Known, unfinished: Sequence[str], now: float, quiet: float) -> Iterator[Offer]:
    """All that is worth asking of one workflow, with what it would gain."""
    yield from _newest(known, now, quiet)
    yield from _errored(known, now)
    for status in unfinished:
        # Without counts, a status may have rows although none of them is held.
        if known.told is None or known.told.get(status) or known.held.get(status):
            yield from _pass(known, status, now, 2 * quiet)
    if _is_worth(known, Kind.LEFT, known.left, now):
        yield _left(known, now)
    if _is_worth(known, Kind.HINTED, known.hinted_failures + known.hinted_others, now):
        yield _hinted(known, now)
    if _is_worth(known, Kind.DETAILS, known.errored_unread, now):
        yield _details(known, now)
    if known.has_versions:
        yield from _versions(known, now)


def _newest(known: Known, now: float, quiet: float) -> Iterator[Offer]:
    age = _age(known, Kind.HEAD, now)
    rows = 0.0
    if _has_news(known, Kind.HEAD):
        # This page also settles the unfinished ones on it: no pass, and no reads after it.
        near = sum([part * _over(known, status) for status, part in known.near.items()])
        rows = _rows(known, Kind.HEAD, known.arrived + near, age)
    pages = 1 + int(rows) // PER_PAGE
    if gain := _corrects(rows, pages) * age + _overdue(age, quiet):
        yield _offer(known, Kind.HEAD, pages, gain)
    if known.gap:
        yield _offer(known, Kind.GAP, known.gap, PER_PAGE * _age(known, Kind.GAP, now))


def _errored(known: Known, now: float) -> Iterator[Offer]:
    if _has_news(known, Kind.ERRORED):
        age = _age(known, Kind.ERRORED, now)
        rows = _rows(known, Kind.ERRORED, known.errored_missing - known.errored_deep, age)
        if known.told is None:
            rows *= _part_beyond(known)
        if rows:
            yield _offer(known, Kind.ERRORED, 1, ERRORED_WEIGHT * _corrects(rows, 1) * age)
    if known.errored_deep > 0 and _has_news(known, Kind.DEEP_ERRORED):
        pages = max(1, known.deep_pages)
        age = _age(known, Kind.DEEP_ERRORED, now)
        gain = ERRORED_WEIGHT * _corrects(known.errored_deep, pages) * age
        yield _offer(known, Kind.DEEP_ERRORED, pages, gain)


def _pass(known: Known, status: str, now: float, quiet: float) -> Iterator[Offer]:
    held = known.held.get(status, 0)
    told = held if known.told is None else known.told.get(status, 0)
    name = PASS_OF + status
    age = _age(known, name, now)
    pages = max(1, -(-told // PER_PAGE))
    rows = _passed(known, status, name, told - held, age) if _has_news(known, name) else 0.0
    gain = _corrects(rows, pages) * age
    if known.told is None or known.near.get(status, 0.0) < 1:
        gain += _overdue(age, quiet * pages)
    if gain:
        # A list that Cloudflare counts as empty need not be asked for.
        cost = 0 if known.told is not None and not told else pages
        gain *= BLIND_PASS_WEIGHT if known.told is None else PASS_WEIGHT
        is_late = known.told is not None and age >= LATE
        yield _offer(known, Kind.PASS, cost, gain, status=status)._replace(is_late=is_late)


def _passed(known: Known, status: str, name: str, new: int, age: float) -> float:
    """How many rows of one status a pass over its list would correct."""
    beyond = 1 - known.near.get(status, 0.0)  # The newest page settles the others.
    if known.told is None:
        return beyond * _rows(known, name, 0, age)
    difference = beyond * _over(known, status)
    if not known.arrived and known.told_at > known.done.get(Kind.HEAD, math.inf):
        difference = max(difference, new)
    rows = _rows(known, name, difference, age)
    # Nobody has looked yet at what is held beyond the newest page.
    return rows if name in known.done else max(rows, min(1.0, beyond * known.held.get(status, 0)))


def _part_beyond(known: Known) -> float:
    """The part of what is unfinished that does not stand on the newest page."""
    held = sum(known.held.get(status, 0) for status in known.near)
    near = sum(part * known.held.get(status, 0) for status, part in known.near.items())
    return 1 - near / held if held else 0.0


def _is_worth(known: Known, kind: Kind, rows: int, now: float) -> bool:
    """Whether single rows are to be read: if few, perhaps those that told nothing a moment ago."""
    return rows > LONGEST_WORK or (rows > 0 and _age(known, kind, now) >= SHORTEST)


def _left(known: Known, now: float) -> Offer:
    requests = max(1, math.ceil(known.left / max(1.0, known.left_per_request)))
    gain = LEFT_WEIGHT * _corrects(known.left, requests) * _age(known, Kind.LEFT, now)
    return _offer(known, Kind.LEFT, requests, gain)


def _hinted(known: Known, now: float) -> Offer:
    if known.hinted_failures:
        return _offer(known, Kind.HINTED, known.hinted_failures, HINTED_GAIN, is_urgent=True)
    gain = LEFT_WEIGHT * _age(known, Kind.HINTED, now)
    return _offer(known, Kind.HINTED, known.hinted_others, gain)


def _details(known: Known, now: float) -> Offer:
    gain = ERRORED_WEIGHT * _age(known, Kind.DETAILS, now)
    return _offer(known, Kind.DETAILS, known.errored_unread, gain, is_urgent=True)


def _versions(known: Known, now: float) -> Iterator[Offer]:
    age = _age(known, Kind.VERSIONS, now)
    if age >= VERSIONS_EVERY or (known.has_new_version and age >= 60):
        yield _offer(known, Kind.VERSIONS, 1, age / 60)


def _offer(
    known: Known,
    kind: Kind,
    requests: int,
    gain: float,
    *,
    status: str = "",
    is_urgent: bool = False,
) -> Offer:
    weight = WATCHED_WEIGHT if known.is_watched else 1.0
    cost = min(requests, LONGEST_WORK)
    return Offer(gain * weight, known.workflow, kind, status, cost, is_urgent or known.is_watched)


def _corrects(rows: float, requests: int) -> float:
    """Rows that one request corrects; a page holds no more, whatever the counts tell."""
    return rows / requests if rows < PER_PAGE * requests else PER_PAGE


def _age(known: Known, name: str, now: float) -> float:
    """Seconds since it was last done; clocks may have been moved back."""
    done = known.done.get(name)
    if done is None:
        return NEVER
    return now - done if now > done else 0.0


def _has_news(known: Known, name: str) -> bool:
    """Whether the counts, where there are any, are younger than what the look itself has seen."""
    return known.told is None or known.told_at > known.done.get(name, -math.inf)


def _over(known: Known, status: str) -> int:
    """Rows that are held in this status beyond Cloudflare's count: so many have left it."""
    return max(0, known.held.get(status, 0) - known.told.get(status, 0)) if known.told else 0


def _rows(known: Known, name: str, difference: float, age: float) -> float:
    """How many rows the look would correct: as the counts tell, or as earlier looks suggest."""
    if known.told is None:
        return known.learned.get(name, UNLEARNED) * age if age >= SHORTEST else 0.0
    if difference > 0:
        return difference
    hidden = HIDDEN_SHARE * known.learned.get(name, 0.0) * age
    return hidden if hidden >= 1 and known.changed_at > known.done.get(name, -math.inf) else 0.0


def _overdue(age: float, limit: float) -> float:
    return (age / limit) ** 4 if age >= limit else 0.0
