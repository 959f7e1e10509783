"""Whether a version does worse than the one before it.

Compared are the share of instances that failed and, for each step that both versions have, its
median, its p95 and its attempts for each success. A difference is called worse only if

- both versions have LEAST samples of it,
- it is as large as a person would call it so (`Measure.LIMITS`), and
- it is no accident: one-sided, with p below ALPHA divided by the number of tests that were made, so
  that a workflow of a hundred steps raises no more false alarms than one of two (Bonferroni).

Shares are tested by Fisher's exact test; medians by the rank test of Mann and Whitney, with ties;
a p95 by Fisher's test on how many took longer than the p95 before. The share that failed is of the
instances that were created, not of those that ended: failures often end sooner than successes, and
a young version would look bad by that alone. Attempts of one instance fail together, up to the
usual limit of retries, so only one failed attempt of CLUSTER counts as evidence.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol, Self

from django.utils.translation import gettext as _

from dashboard.insight import words
from dashboard.insight.durations import short
from dashboard.insight.percentiles import percentile

ALPHA = 0.001
LEAST = 30
CLUSTER = 6
#: Steps are compared up to this number, those that were seen most.
MOST_STEPS = 100


class Outcomes(Protocol):
    """How the instances of one version went: `number` were created, `errored` of them failed."""

    @property
    def number(self) -> int: ...
    @property
    def errored(self) -> int: ...


class Figures(Protocol):
    """How one step of one version went; `durations`: how many successes took so many ms."""

    @property
    def succeeded(self) -> int: ...
    @property
    def failed_attempts(self) -> int: ...
    @property
    def durations(self) -> Mapping[int, int]: ...


class Kind(enum.StrEnum):
    FAILURES = "failures"
    MEDIAN = "median"
    P95 = "p95"
    ATTEMPTS = "attempts"


@dataclass(frozen=True)
class Measure:
    """One figure before and now, of so many samples. Failures are parts of 1, median and p95 ms,
    attempts a number for each success. `p`: how likely so large a difference is by accident."""

    kind: Kind
    step: str
    before: float
    after: float
    n_before: int
    n_after: int
    p: float
    is_worse: bool = False

    #: Worse by this factor, and by so much, is worth a word.
    LIMITS: ClassVar = {
        Kind.FAILURES: (1.5, 0.05),
        Kind.MEDIAN: (1.5, 100),
        Kind.P95: (1.5, 250),
        Kind.ATTEMPTS: (1.2, 0.2),
    }

    @property
    def is_large(self) -> bool:
        factor, more = self.LIMITS[self.kind]
        return self.after >= factor * self.before and self.after >= self.before + more

    @property
    def is_of_enough(self) -> bool:
        return min(self.n_before, self.n_after) >= LEAST

    @property
    def what(self) -> str:
        """What is measured, in words."""
        step = f"“{words.isolated(self.step)}”"
        return {
            Kind.FAILURES: _("Instances that failed"),
            Kind.MEDIAN: _("%(step)s: median"),
            Kind.P95: _("%(step)s: p95"),
            Kind.ATTEMPTS: _("%(step)s: attempts for each success"),
        }[self.kind] % {"step": step}

    @property
    def text(self) -> str:
        """`“charge card”: p95 41 s, before 2.5 s (212 vs 1,903)`."""
        text = _("%(what)s %(after)s, before %(before)s (%(n_after)s vs %(n_before)s)")
        return text % {
            "what": self.what,
            "after": self.after_text,
            "before": self.before_text,
            "n_after": f"{self.n_after:,}",
            "n_before": f"{self.n_before:,}",
        }

    @property
    def before_text(self) -> str:
        return self._written(self.before)

    @property
    def after_text(self) -> str:
        return self._written(self.after)

    def _written(self, value: float) -> str:
        if self.kind is Kind.FAILURES:
            return f"{100 * value:.1f} %"
        if self.kind is Kind.ATTEMPTS:
            return f"{value:.2f}"
        return short(timedelta(milliseconds=value))


@dataclass(frozen=True)
class Comparison:
    """A version against the one `before`, an id. `measures`: all that could be compared."""

    before: str
    measures: tuple[Measure, ...] = ()

    @property
    def worse(self) -> list[Measure]:
        return [one for one in self.measures if one.is_worse]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """As `as_json` gave it."""
        measures = (Measure(**{**one, "kind": Kind(one["kind"])}) for one in kept["measures"])
        return cls(kept["before"], tuple(measures))


def compare(
    before: str,
    outcomes: tuple[Outcomes, Outcomes],
    steps: Iterable[tuple[str, Figures, Figures]],
) -> Comparison:
    """`before`: the id of the version before; each pair is of that version and of the new one."""
    found = [_failures(*outcomes)]
    most = sorted(steps, key=lambda one: -one[2].succeeded)[:MOST_STEPS]
    for name, old, new in most:
        if old.durations and new.durations:
            found += [_median(name, old, new), _p95(name, old, new)]
        if old.succeeded and new.succeeded:
            found.append(_attempts(name, old, new))
    tests = sum(one.is_of_enough for one in found)
    return Comparison(before, tuple(_judged(one, tests) for one in found))


def _judged(one: Measure, tests: int) -> Measure:
    is_worse = one.is_of_enough and one.is_large and one.p < ALPHA / tests
    return Measure(**{**asdict(one), "is_worse": is_worse})


def _failures(old: Outcomes, new: Outcomes) -> Measure:
    p = fisher(new.errored, new.number, old.errored, old.number)
    before, after = old.errored / max(1, old.number), new.errored / max(1, new.number)
    return Measure(Kind.FAILURES, "", before, after, old.number, new.number, p)


def _median(step: str, old: Figures, new: Figures) -> Measure:
    p = rank_test(new.durations, old.durations)
    return _of_durations(Kind.MEDIAN, step, old, new, p)


def _p95(step: str, old: Figures, new: Figures) -> Measure:
    limit = percentile(old.durations, 95) or 0
    above = [sum(n for ms, n in one.durations.items() if ms > limit) for one in (new, old)]
    totals = [sum(one.durations.values()) for one in (new, old)]
    p = fisher(above[0], totals[0], above[1], totals[1])
    return _of_durations(Kind.P95, step, old, new, p)


def _of_durations(kind: Kind, step: str, old: Figures, new: Figures, p: float) -> Measure:
    percent = 50 if kind is Kind.MEDIAN else 95
    before, after = (percentile(one.durations, percent) or 0 for one in (old, new))
    n_before, n_after = (sum(one.durations.values()) for one in (old, new))
    return Measure(kind, step, before, after, n_before, n_after, p)


def _attempts(step: str, old: Figures, new: Figures) -> Measure:
    failed = [one.failed_attempts // CLUSTER for one in (new, old)]
    all_ = [number + one.succeeded for number, one in zip(failed, (new, old), strict=True)]
    p = fisher(failed[0], all_[0], failed[1], all_[1])
    before, after = (1 + one.failed_attempts / one.succeeded for one in (old, new))
    return Measure(Kind.ATTEMPTS, step, before, after, old.succeeded, new.succeeded, p)


def fisher(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """How likely it is by accident that at least so many of all hits fall to the first group."""
    total, all_hits = of + other_of, hits + other_hits
    most = min(of, all_hits)
    whole = _choose(total, all_hits)
    found = 0.0
    for number in range(hits, most + 1):
        term = math.exp(_choose(of, number) + _choose(other_of, all_hits - number) - whole)
        found += term
        if term < found * 1e-12:
            break  # From its largest term on, the sum falls ever faster.
    return min(1.0, found)


def _choose(total: int, number: int) -> float:
    """The logarithm of how many ways there are to choose."""
    if number < 0 or number > total:
        return -math.inf
    return math.lgamma(total + 1) - math.lgamma(number + 1) - math.lgamma(total - number + 1)


def rank_test(new: Mapping[int, int], old: Mapping[int, int]) -> float:
    """How likely it is by accident that the first are so much larger: Mann and Whitney's test by
    the normal distribution, with a correction for ties."""
    n, m = sum(new.values()), sum(old.values())
    if not n or not m:
        return 1.0
    larger, below, ties = 0.0, 0, 0
    for value in sorted({*new, *old}):
        ours, theirs = new.get(value, 0), old.get(value, 0)
        larger += ours * (below + theirs / 2)
        below += theirs
        ties += (ours + theirs) ** 3 - (ours + theirs)
    total = n + m
    spread = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    if spread <= 0:
        return 1.0
    return 0.5 * math.erfc((larger - n * m / 2 - 0.5) / math.sqrt(2 * spread))
