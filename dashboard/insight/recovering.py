"""Pure: whether something that failed has stopped, told from how many ended since.

That no failure came is no news while few ended: both rules ask how likely that is by accident.
"""

from __future__ import annotations

import math
from typing import Protocol

from dashboard.insight.version_watch import fisher

#: Chance does it less often than this.
ALPHA = 0.001
#: A share that has fallen back is at most this part of what it was.
PART = 0.5


class Ends(Protocol):
    """How many instances ended, and how many of them failed."""

    @property
    def errored(self) -> int: ...
    @property
    def ended(self) -> int: ...


def is_gone(failed: int, ended: int, ended_since: int) -> bool:
    """Whether `failed` of `ended` before, and none of those that ended since, can be no accident:
    as many as before would have been seen but with the probability ALPHA."""
    if not failed:
        return False
    share = min(1.0, failed / max(failed, ended))
    return share * ended_since >= -math.log(ALPHA)


def has_fallen(before: Ends, lately: Ends) -> bool:
    """Whether a smaller share fails lately than before: at most PART of it, by Fisher's exact test
    with a probability below ALPHA of being an accident."""
    if not before.ended or not lately.ended:
        return False
    if lately.errored / lately.ended > PART * before.errored / before.ended:
        return False
    return fisher(before.errored, before.ended, lately.errored, lately.ended) < ALPHA
