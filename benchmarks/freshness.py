"""How old is what the dashboard shows, under Cloudflare's budget? The real planner, a simulated
clock, a token bucket of 2.4 requests per second with a burst of 60.

`python -m benchmarks.freshness` runs the cases that take seconds, `--full` all of them, `--only`
those whose name holds a text. Each row names the seeds of its worlds; of several it is the median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()  # `dashboard.sync` is more than its planner.

from benchmarks.bucket import Bucket  # noqa: E402
from benchmarks.copying import Copy  # noqa: E402
from benchmarks.hints import Feed  # noqa: E402
from benchmarks.world import world  # noqa: E402
from dashboard.sync.known import PER_PAGE, Kind, State, Work  # noqa: E402
from dashboard.sync.plan import plan  # noqa: E402

ALLOWANCE = 10
#: Seconds until the planner is asked again when it has nothing to ask.
PAUSE = 0.5
UNFINISHED = ("running", "waiting")
WARM = {1_000: 600, 100_000: 3_600, 1_000_000: 3 * 3_600}
MEASURED = {1_000: 3_600, 100_000: 2 * 3_600, 1_000_000: 3 * 3_600}


@dataclass(frozen=True)
class Case:
    """An account, and what the reference reached with it: p50 and p99 in seconds of an error, a
    new instance and the end of a slow one, each until it was seen; None where it never ran.
    `seeds`: of the worlds, on both sides; where the two are close it is the median of several."""

    workflows: int
    unfinished: int
    errored: tuple[float, float]
    new: tuple[float, float] | None = None
    slow: tuple[float, float] | None = None
    rate: float = 2.4
    has_counts: bool = True
    has_feed: bool = False
    seeds: Sequence[int] = (1,)

    @property
    def name(self) -> str:
        extra = [] if self.has_counts else ["without counts"]
        extra += ["with the event feed"] if self.has_feed else []
        extra += [] if self.rate == 2.4 else [f"{self.rate} requests/s"]
        return ", ".join([f"{self.workflows:,} × {self.unfinished:,}", *extra])


SEVERAL = (1, 2, 3)
CASES = [
    Case(10, 1_000, (1.9, 4.9), (2.6, 5.0), (2.8, 5.3)),
    Case(100, 1_000, (1.8, 4.6), (2.7, 5.2), (2.4, 5.1)),
    Case(100, 1_000, (5.7, 78), rate=1.2),
    Case(100, 1_000, (12, 75), (15, 101), (132, 945), has_counts=False),
    Case(1_000, 1_000, (6.3, 15.2), (9.2, 20.9), (9.9, 22.3)),
    Case(10, 100_000, (13, 668), (11, 48), (532, 1_308)),
    Case(100, 100_000, (26, 810), (28, 198), (671, 1_898)),
    Case(100, 100_000, (26, 810), (28, 198), (671, 1_898), has_feed=True),
    Case(1_000, 100_000, (90, 1_408), (100, 1_296), (1_129, 3_820)),
    Case(10, 1_000_000, (493, 4_106), (304, 1_012), (3_880, 10_599)),
    Case(100, 1_000_000, (472, 4_423), (348, 1_038), (3_992, 10_581), seeds=SEVERAL),
    Case(1_000, 1_000_000, (995, 6_998), (875, 2_676), (3_510, 10_412), seeds=SEVERAL),
]
QUICK = CASES[:4] + CASES[5:6]
HEAD = """\
| Workflows × unfinished | Seeds | Errored seen | Errored told | New seen | Slow end seen |\
 Slow end told | Requests/min | Over budget | One plan | Spent on |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""
Percentiles = tuple[float, float]


class Run:
    """One case with one seed, until the simulated clock has come to its end."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.since = WARM[case.unfinished]
        self.end = self.since + MEASURED[case.unfinished]
        self.bucket = Bucket(case.rate)
        self.mix = dict.fromkeys(Kind, 0)
        self.plan_seconds: list[float] = []
        truths = world(case.workflows, case.unfinished, self.end, seed)
        self.copies = [
            Copy(number, truth, self.bucket, case.has_counts) for number, truth in enumerate(truths)
        ]
        self.feed = Feed(self.copies, self.bucket, seed) if case.has_feed else None
        self.counted_at: float | None = None
        while self.bucket.now < self.end:
            self._step()

    def _step(self) -> None:
        if self.feed:
            self.feed.read(self.bucket.now)
        known = [copy.known for copy in self.copies]
        state = State(known, self.counted_at, self.case.rate, UNFINISHED)
        began = time.process_time()
        works = plan(state, self.bucket.now, ALLOWANCE)
        self.plan_seconds.append(time.process_time() - began)
        for work in works:
            before = len(self.bucket.sent_at)
            self._do(work)
            self.mix[work.kind] += len(self.bucket.sent_at) - before
        if not works:
            self.bucket.now += PAUSE

    def _do(self, work: Work) -> None:
        if work.workflow is not None:
            self.copies[work.workflow].do(work)
            return
        for _ in range(-(-self.case.workflows // PER_PAGE)):
            self.bucket.spend()
        self.counted_at = self.bucket.now
        for copy in self.copies:
            copy.count()

    def figures(self) -> dict[str, Percentiles]:
        """Seconds until each was known, p50 and p99; what is unknown at the end counts until it."""
        lags: dict[str, list[float]] = {name: [] for name in SEEN}
        for copy in self.copies:
            truth = copy.truth
            for row, (created, ended) in enumerate(zip(truth.created, truth.ends, strict=True)):
                if self.since < created < self.end:
                    lags["new"].append(min(copy.seen_at[row], self.end) - created)
                kind = "errored" if truth.is_erring[row] else "slow" if truth.is_slow[row] else ""
                if kind and self.since < ended < self.end:
                    told = copy.told_at[row]
                    lags[f"{kind} told"].append(min(told, self.end) - ended)
                    lags[kind].append(min(told, copy.noticed_at[row], self.end) - ended)
        return {
            name: (_part(sorted(found), 0.5), _part(found, 0.99)) for name, found in lags.items()
        }

    def per_minute(self) -> float:
        sent = sum(instant >= self.since for instant in self.bucket.sent_at)
        return sent / (self.end - self.since) * 60


SEEN = ("errored", "errored told", "new", "slow", "slow told")


def rows(cases: Iterable[Case], seeds: Sequence[int] = ()) -> Iterator[str]:
    """The table of these cases, line by line, with their own seeds or with these."""
    yield HEAD
    for case in cases:
        runs = [Run(case, seed) for seed in seeds or case.seeds]
        found = [run.figures() for run in runs]
        middle = {
            name: tuple(statistics.median(one[name][at] for one in found) for at in (0, 1))
            for name in SEEN
        }
        cells = [
            case.name,
            ", ".join(map(str, seeds or case.seeds)),
            *(_beside(middle[name], getattr(case, name, None)) for name in SEEN),
            f"{statistics.median(run.per_minute() for run in runs):.0f}",
            str(max(run.bucket.over_budget() for run in runs)),
            f"{statistics.median(runs[0].plan_seconds) * 1_000:.1f} ms",
            _spent(runs[0].mix),
        ]
        yield f"| {' | '.join(cells)} |"


def _part(ordered: list[float], part: float) -> float:
    return statistics.quantiles(ordered, n=100, method="inclusive")[round(part * 100) - 1]


def _beside(ours: Sequence[float], reference: Percentiles | None) -> str:
    """Ours, and how large a part of the reference's that is: below 1 is better."""
    figures = " / ".join(_short(figure) for figure in ours)
    if reference is None:
        return figures
    ratios = ", ".join(f"**{a / b:.2f}**" for a, b in zip(ours, reference, strict=True))
    return f"{figures} (reference {' / '.join(map(_short, reference))}; {ratios})"


def _short(figure: float) -> str:
    return f"{figure:.1f}" if figure < 100 else f"{figure:,.0f}"


def _spent(mix: dict[Kind, int]) -> str:
    whole = sum(mix.values())
    return " ".join(f"{kind} {count / whole:.0%}" for kind, count in mix.items() if count)


def main(arguments: list[str]) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.freshness", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all cases; takes many minutes")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--seeds", type=int, nargs="+", default=(), help="other worlds than usual")
    options = parser.parse_args(arguments)
    cases = CASES if options.full or options.only else QUICK
    for line in rows([case for case in cases if options.only in case.name], options.seeds):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
