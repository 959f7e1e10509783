"""Pure: what is known + the clock + how many requests may be sent -> what to ask next.

Work is ranked by what it would correct for each request that it costs (`gain.py`). Cloudflare's
counts tell for 100 workflows in one request how many rows that is; a target without counts is
judged by what earlier looks have found.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping

from dashboard.sync.gain import Offer, offers_of, quiet_for
from dashboard.sync.known import LONGEST_WORK, PER_PAGE, Kind, State, Work

#: The workflow list is read this often, in seconds, and takes at most this share of the requests.
COUNTS_EVERY = 5.0
COUNTS_SHARE = 0.12
#: As often when there is nothing else to ask, and as seldom where it tells no counts.
COUNTS_IDLE = 2.5
LIST_EVERY = 60.0
#: Where new instances wait for long until their page is read, counts may be this part as old:
#: requests are worth more at the pages then. Not while somebody looks.
COUNTS_PART = 0.15
LEAST_GAIN = 1e-9
#: What is urgent comes first, but leaves one request of so many to the rest.
URGENT_LEAVES = 2
#: Where freshness alone would take all there is, the back-fill still gets one request of so many;
#: and once it is done, passes that are late do.
HISTORY_GETS = 10
LATE_GET = 3


def plan(state: State, now: float, allowance: int) -> list[Work]:
    """What to ask next for freshness, best first, for at most `allowance` requests in all."""
    since = math.inf if state.counted_at is None else now - state.counted_at
    requests = max(1, -(-len(state.workflows) // PER_PAGE))
    counts = [Work(Kind.COUNTS, None, requests, math.inf)] if requests <= allowance else []
    interval = counts_interval(state, requests)
    if since >= interval:
        return counts
    # No further than to the next counts, which will rank anew; two, or nothing could be shared.
    until_then = max(2, math.ceil((interval - since) * state.rate))
    works = _best(state, now, min(allowance, until_then))
    is_idle = not works and since >= COUNTS_IDLE and interval < LIST_EVERY
    return counts if is_idle else works


def plan_history(state: State, allowance: int) -> list[Work]:
    """The back-fill: the workflows whose older pages were never read, watched ones first, then
    those with the fewest instances, so that most workflows are soon complete."""
    wanting = [known for known in state.workflows if known.history]
    wanting.sort(key=lambda known: (not known.is_watched, _total(known.told), known.workflow))
    return _cut(
        [Offer(1.0, w.workflow, Kind.HISTORY, "", LONGEST_WORK) for w in wanting], allowance
    )


def counts_interval(state: State, requests: int) -> float:
    """Seconds between two readings of the workflow list, which takes so many requests."""
    if all(known.told is None for known in state.workflows):
        return LIST_EVERY
    interval = max(COUNTS_EVERY, requests / (COUNTS_SHARE * max(state.rate, 1e-6)))
    is_watched = any(known.is_watched for known in state.workflows)
    return interval if is_watched else max(interval, COUNTS_PART * _wait(state))


def _wait(state: State) -> float:
    """Seconds that new instances wait until their page is read: the mean over those that wait."""
    arrived = sum(known.arrived for known in state.workflows)
    waited = sum(
        known.arrived * max(0.0, known.told_at - known.done.get(Kind.HEAD, known.told_at))
        for known in state.workflows
        if known.arrived
    )
    return waited / arrived if arrived else 0.0


def _best(state: State, now: float, allowance: int) -> list[Work]:
    """The works of most gain that fit into the allowance."""
    quiet = quiet_for(state)
    offers = [
        offer
        for known in state.workflows
        for offer in offers_of(known, state.unfinished, now, quiet)
        if offer.gain > LEAST_GAIN
    ]
    urgent = _cut(_first([offer for offer in offers if offer.is_urgent], allowance), allowance)
    others = _cut(_first([offer for offer in offers if not offer.is_urgent], allowance), allowance)
    history: list[Work] = []
    if _cost(urgent) + _cost(others) >= allowance:
        history = plan_history(state, allowance // HISTORY_GETS)
        if not any(known.history for known in state.workflows):
            late = [offer for offer in offers if offer.is_late and not offer.is_urgent]
            others = _with_late(others, _cut(_first(late, allowance), allowance // LATE_GET))
    allowance -= _cost(history)
    urgent = _cut(urgent, allowance - min(_cost(others), allowance // URGENT_LEAVES))
    others = _cut(others, allowance - _cost(urgent))
    return sorted([*urgent, *others], key=_rank) + history


def _with_late(others: list[Work], late: list[Work]) -> list[Work]:
    """Those that are late first, as far as they are not among the others anyway."""
    chosen = {(work.workflow, work.name) for work in others}
    missing = [work for work in late if (work.workflow, work.name) not in chosen]
    return missing + others


def _first(offers: list[Offer], allowance: int) -> list[Offer]:
    # Behind `allowance` works that cost requests no other one fits; the free ones are few.
    return heapq.nsmallest(allowance + len(Kind), offers, key=_rank)


def _rank(offer: Offer | Work) -> tuple[float, int, str, str]:
    return (-offer.gain, offer.workflow or 0, offer.kind, offer.status)


def _cost(works: Iterable[Work]) -> int:
    return sum(work.cost for work in works)


def _cut(offers: Iterable[Offer | Work], allowance: int) -> list[Work]:
    """The first of them that the allowance covers; the last one is given less."""
    works = []
    for offer in offers:
        cost = min(offer.cost, allowance)
        if cost < offer.cost and cost == 0:
            break
        works.append(Work(offer.kind, offer.workflow, cost, offer.gain, offer.status))
        allowance -= cost
    return works


def _total(counts: Mapping[str, int] | None) -> int:
    return sum(counts.values()) if counts else 0
