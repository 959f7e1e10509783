"""How old is what the dashboard shows, under Cloudflare's budget? The real planner, a simulated
clock, a token bucket of 2.4 requests per second with a burst of 60.

`python -m benchmarks.freshness` runs the cases that take seconds, `--full` all nine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.copying import Copy, lags
from benchmarks.world import world
from dashboard.sync.known import PER_PAGE, Kind, State
from dashboard.sync.plan import plan

RATE, BURST = 2.4, 60.0
#: Four connections of 150 ms: no faster than this, whatever the bucket holds.
REQUEST_SECONDS = 0.15 / 4
ALLOWANCE = 10
WARM = {1_000: 600, 100_000: 3_600, 1_000_000: 3 * 3_600}
MEASURED = {1_000: 3_600, 100_000: 2 * 3_600, 1_000_000: 3 * 3_600}
QUICK = [(10, 1_000), (100, 1_000), (10, 100_000)]
#: p50 and p99 in seconds of errored seen, new seen, slow end seen; and requests per minute: the
#: derivation that the planner was begun with.
REFERENCE = {
    (10, 1_000): "1.9/4.9 2.6/5.0 2.8/5.3 100",
    (10, 100_000): "13/668 11/48 532/1308 144",
    (10, 1_000_000): "493/4106 304/1012 3880/10599 144",
    (100, 1_000): "1.8/4.6 2.7/5.2 2.4/5.1 120",
    (100, 100_000): "26/810 28/198 671/1898 144",
    (100, 1_000_000): "477/4408 344/1029 3997/10585 144",
    (1_000, 1_000): "6.3/15.2 9.2/20.9 9.9/22.3 144",
    (1_000, 100_000): "90/1408 100/1296 1129/3820 144",
    (1_000, 1_000_000): "1003/6998 889/2689 3510/10413 144",
}


@dataclass
class Bucket:
    """The simulated clock, which only requests and waiting move, and the budget."""

    now: float = 0.0
    tokens: float = BURST
    filled_at: float = 0.0
    sent_at: list[float] = field(default_factory=list)

    def spend(self) -> None:
        """Waits until a request may be sent, and sends it."""
        self._fill()
        if self.tokens < 1:
            self.now += (1 - self.tokens) / RATE
            self._fill()
        self.tokens -= 1
        self.sent_at.append(self.now)
        self.now += REQUEST_SECONDS

    def _fill(self) -> None:
        self.tokens = min(BURST, self.tokens + (self.now - self.filled_at) * RATE)
        self.filled_at = self.now

    def over_budget(self, window: float = 300.0) -> int:
        """Requests that some window held beyond what the bucket allows in it."""
        allowed = BURST + RATE * window + 1
        first = worst = 0
        for last, instant in enumerate(self.sent_at):
            while self.sent_at[first] <= instant - window:
                first += 1
            worst = max(worst, last - first + 1 - int(allowed))
        return max(0, worst)


def run(workflows: int, unfinished: int, seed: int = 1) -> str:
    """One case; a line of its figures."""
    began, warm = time.monotonic(), WARM[unfinished]
    end = warm + MEASURED[unfinished]
    bucket = Bucket()
    truths = world(workflows, unfinished, end, seed)
    copies = [
        Copy(number, truth, bucket.spend, lambda: bucket.now) for number, truth in enumerate(truths)
    ]
    counted_at, mix = None, dict.fromkeys(Kind, 0)
    while bucket.now < end:
        state = State([copy.known for copy in copies], counted_at, RATE, ("running", "waiting"))
        works = plan(state, bucket.now, ALLOWANCE)
        for work in works:
            before = len(bucket.sent_at)
            if work.workflow is None:
                for _ in range(-(-workflows // PER_PAGE)):
                    bucket.spend()
                counted_at = bucket.now
                for copy in copies:
                    copy.count(dict(copy.known.done), bucket.now)
            else:
                copies[work.workflow].do(work)
            mix[work.kind] += len(bucket.sent_at) - before
        if not works:
            bucket.now += 0.25
    took = time.monotonic() - began
    return _line(workflows, unfinished, copies, bucket, mix=mix, measured=(warm, end), seconds=took)


def _line(
    workflows: int,
    unfinished: int,
    copies: Sequence[Copy],
    bucket: Bucket,
    *,
    mix: dict[Kind, int],
    measured: tuple[float, float],
    seconds: float,
) -> str:
    since, end = measured
    figures = [_percentiles(lags(pairs, end)) for pairs in _pairs(copies, since, end)]
    per_minute = sum(instant >= since for instant in bucket.sent_at) / ((end - since) / 60)
    shares = " ".join(
        f"{kind}:{count / len(bucket.sent_at):.0%}" for kind, count in mix.items() if count
    )
    return (
        f"{workflows} × {unfinished:,} | {' | '.join(figures)} | {per_minute:.0f} "
        f"| over budget: {bucket.over_budget()} | {REFERENCE[workflows, unfinished]} "
        f"| {shares} ({seconds:.0f} s)"
    )


def _pairs(copies: Sequence[Copy], since: float, end: float) -> list[list[tuple[float, float]]]:
    """(happened, known) of errors, new instances, and slow ends: noticed, and told."""
    errored, new, noticed, told = [], [], [], []
    for copy in copies:
        truth = copy.truth
        for row, (created, ended) in enumerate(zip(truth.created, truth.ends, strict=True)):
            if since < created < end:
                new.append((created, copy.seen_at[row]))
            if not since < ended < end:
                continue
            if truth.is_erring[row]:
                errored.append((ended, copy.told_at[row]))
            elif truth.is_slow[row]:
                noticed.append((ended, min(copy.noticed_at[row], copy.told_at[row])))
                told.append((ended, copy.told_at[row]))
    return [errored, new, noticed, told]


def _percentiles(ordered: list[float]) -> str:
    if not ordered:
        return "–"
    return " / ".join(
        f"{ordered[min(len(ordered) - 1, int(len(ordered) * part))]:,.1f}" for part in (0.5, 0.99)
    )


def main(arguments: list[str]) -> None:
    """Prints a table, one line per case."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.freshness", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all nine cases; takes many minutes")
    options = parser.parse_args(arguments)
    print(
        "case | errored seen | new seen | slow end noticed | slow end told | requests/min | "
        "| before (errored, new, slow, requests/min) | requests by kind"
    )
    for workflows, unfinished in REFERENCE if options.full else QUICK:
        print(run(workflows, unfinished), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
