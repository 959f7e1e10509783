from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.alerts.history import History
from dashboard.alerts.kinds.base import Firing, Kind, Store, instances, minutes, of_workflow, whole


@dataclass(frozen=True)
class FailureRate(Kind):
    """Too large a share of what ended in a workflow has failed.

    Of a period longer than its window, as history keeps them in time, a part is taken.
    """

    NAME = "failure-rate"
    TITLE = "Failure rate"
    SAYS = "Of the instances of a workflow that ended lately, too many have failed."
    STORE = Store.PERIODS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, False

    share: int = whole("Failed, in percent of those that ended", 20, least=1, most=100)
    at_least: int = whole(
        "And at least so many failures",
        5,
        least=1,
        most=1_000_000,
        help="So that 1 of 2 is no alarm.",
    )
    window: int = whole("Within so many minutes", 15, least=5, most=1440)

    @property
    def reach(self) -> timedelta:
        return timedelta(minutes=self.window)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for pk, place in history.seen(at):
            periods = history.periods_of(pk, at - self.reach, at)
            parts = [min(1.0, self.reach / period.length) for period in periods]
            errored = round(sum(p.errored * part for p, part in zip(periods, parts, strict=True)))
            ended = round(sum(p.ended * part for p, part in zip(periods, parts, strict=True)))
            if errored < self.at_least or not ended or errored * 100 < self.share * ended:
                continue
            percent = round(errored * 100 / ended)
            sentence = (
                f"{instances(errored)} of {ended:,} that ended within {minutes(self.window)} "
                f"have failed: {percent} %."
            )
            figures = {"errored": errored, "ended": ended, "percent": percent}
            found.append(
                Firing(of_workflow(pk), place.name, sentence, errored, workflow=pk, figures=figures)
            )
        return found
