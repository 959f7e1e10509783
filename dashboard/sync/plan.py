"""Pure: what is known + the clock + how many requests may be sent -> what to ask next.

Work is ranked by what it would correct for each request that it costs (`gain.py`). Cloudflare's
counts tell for 100 workflows in one request how many rows that is; a target without counts is
judged by what earlier looks have found.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping

from dashboard.sync.gain import works_of
from dashboard.sync.known import LONGEST_WORK, PER_PAGE, Kind, State, Work

#: The workflow list is read this often, in seconds, and takes at most this share of the requests.
COUNTS_EVERY = 5.0
COUNTS_SHARE = 0.10
LEAST_GAIN = 1e-9


def plan(state: State, now: float, allowance: int) -> list[Work]:
    """What to ask next for freshness, best first, for at most `allowance` requests in all."""
    since = math.inf if state.counted_at is None else now - state.counted_at
    requests = max(1, -(-len(state.workflows) // PER_PAGE))
    counts = Work(Kind.COUNTS, None, requests, math.inf)
    if since >= counts_interval(requests, state.rate):
        return _cut([counts], allowance)
    offers = (work for known in state.workflows for work in works_of(known, state, now))
    works = _best(offers, allowance)
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


def _best(works: Iterable[Work], allowance: int) -> list[Work]:
    """The works of most gain that fit into the allowance."""
    worth = [work for work in works if work.gain > LEAST_GAIN]
    # Behind `allowance` works that cost requests no other one fits; the free ones are few.
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


def _total(counts: Mapping[str, int] | None) -> int:
    return sum(counts.values()) if counts else 0
