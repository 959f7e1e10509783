"""Percentiles of many durations that are kept as few numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping


def percentile(counts: Mapping[int, int], percent: int) -> int | None:
    """The smallest duration that at least `percent` of all do not exceed; None when there is none.

    `counts`: how many took so many milliseconds.
    """
    left = math.ceil(sum(counts.values()) * percent / 100)
    for milliseconds in sorted(counts):
        left -= counts[milliseconds]
        if left <= 0:
            return milliseconds
    return None
