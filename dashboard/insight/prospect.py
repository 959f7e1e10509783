"""When an instance is likely to end, told by those of its version that passed the same step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import InstanceDetail, Status
from dashboard.insight import words
from dashboard.insight.phase import Phase

#: Fewer than this tell nothing of when another one ends.
LEAST = 30


@dataclass(frozen=True)
class Prospect:
    """Half of `n` that completed had ended by `median` after they had begun the step, nine of ten
    by `p90`; both None where `n` is too few."""

    step: str
    n: int
    median: datetime | None = None
    p90: datetime | None = None

    @property
    def text(self) -> str:
        """`of 412 of this version that passed “charge card” and completed`."""
        text = _("of %(number)s of this version that passed “%(step)s” and completed")
        return text % {"number": f"{self.n:,}", "step": words.isolated(self.step)}


def prospect(
    detail: InstanceDetail, current: Phase, remaining: Mapping[str, Sequence[int]]
) -> Prospect | None:
    """`remaining`: by the name of a step, of how many it is known how long they went on from its
    beginning, and the median and p90 of that in ms. None for an instance that nothing can be said
    of: finished, held, rolling back, or in no step."""
    if detail.status not in {Status.RUNNING, Status.WAITING} or current.step_index is None:
        return None
    step = detail.steps[current.step_index]
    name = words.name_of(step)
    n, median, p90 = remaining.get(name, (0, 0, 0))
    if n < LEAST or step.start is None:
        return Prospect(name, n)
    try:
        ends = [step.start + timedelta(milliseconds=took) for took in (median, p90)]
    except OverflowError:
        return Prospect(name, n)
    return Prospect(name, n, *ends)
