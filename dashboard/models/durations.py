"""Many durations as few numbers, so that hours can be added up and still tell percentiles."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import Counter

#: Below so many milliseconds each is kept as it is.
EXACT = 100
#: Neighbouring values differ by this factor: none is off by more than 1 % and half a millisecond.
RATIO = 1.02


def _step(logarithm: float) -> int:
    return round(RATIO ** round(logarithm))


#: The values from EXACT to three years, and what lies in the middle between two: looking one
#: up is quicker than a logarithm.
FIRST, LAST = round(math.log(EXACT, RATIO)), round(math.log(100_000_000_000, RATIO))
STEPS = [_step(number) for number in range(FIRST, LAST + 1)]
BETWEEN = [RATIO ** (number + 0.5) for number in range(FIRST, LAST)]


def rounded(milliseconds: int) -> int:
    """The nearest of the durations that are told apart; rounding it again changes nothing."""
    if milliseconds < EXACT:
        return milliseconds
    step = bisect_left(BETWEEN, milliseconds)
    return STEPS[step] if step < len(BETWEEN) else _step(math.log(milliseconds, RATIO))


#: The durations of many rows of a table as the text of one JSON list, which is read at once.
LISTED = {
    "sqlite": "'[' || group_concat(durations) || ']'",
    "postgresql": "'[' || string_agg(durations::text, ',') || ']'",
}


def added_up(listed: str) -> Counter[int]:
    """How many took so many milliseconds, of what LISTED gives."""
    found: Counter[str] = Counter()
    for one in json.loads(listed):
        found.update(one)
    return Counter({int(took): number for took, number in found.items()})
