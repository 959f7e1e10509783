"""Pure: many durations as few numbers, so that hours can be added up and still tell percentiles."""

from __future__ import annotations

import math

#: Below so many milliseconds each is kept as it is.
EXACT = 100
#: Neighbouring values differ by this factor: none is off by more than 1 % and half a millisecond.
RATIO = 1.02


def rounded(milliseconds: int) -> int:
    """The nearest of the durations that are told apart; rounding it again changes nothing."""
    if milliseconds < EXACT:
        return milliseconds
    return round(RATIO ** round(math.log(milliseconds, RATIO)))
