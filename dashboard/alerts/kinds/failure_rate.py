from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import Ended, History
from dashboard.alerts.kinds.base import Firing, Kind, Store, instances, minutes, of_workflow, whole
from dashboard.insight.version_watch import fisher

#: So many that ended tell what is usual; of fewer nobody knows it.
LEAST_USUAL = 30
#: More than usual is a share that is larger by this factor, and no accident. A rule is held
#: against about 3,000 separate windows of a workflow in a month: one of 300 workflows then has
#: a false alarm by chance about once a month.
TIMES = 1.5
ALPHA = 1e-6


@dataclass(frozen=True)
class FailureRate(Kind):
    """Too large a share of what ended in a workflow has failed, and more than usual.

    Three things must hold of what ended within the window: at least so many failed, they are at
    least such a share, and they are more than the week before the window lets expect: TIMES the
    share, and by Fisher's exact test (one-sided) an accident of less than ALPHA. Where fewer than
    LEAST_USUAL ended in that week, nobody knows what is usual, and the first two decide. So a
    workflow that always fails by a fifth raises no alarm each time that chance makes it a quarter,
    and a failure that lasts for days becomes what is usual. Of a period longer than its window, as
    history keeps them in time, a part is taken.
    """

    NAME = "failure-rate"
    TITLE = _("Failure rate")
    SAYS = _("Of the instances of a workflow that ended lately, more have failed than usual.")
    STORE = Store.PERIODS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, False

    share: int = whole(_("Failed, in percent of those that ended"), 20, least=1, most=100)
    at_least: int = whole(
        _("And at least so many failures"),
        5,
        least=1,
        most=1_000_000,
        help=_("So that 1 of 2 is no alarm."),
    )
    window: int = whole(_("Within so many minutes"), 15, least=5, most=1440)

    @property
    def reach(self) -> timedelta:
        return timedelta(minutes=self.window)

    @property
    def usual_over(self) -> timedelta:
        return timedelta(days=7)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for pk, place in history.seen(at):
            now = history.ended_within(pk, at - self.reach, at)
            if now.errored < self.at_least or now.errored * 100 < self.share * now.number:
                continue
            usual = history.ended_between(pk, at - self.reach - self.usual_over, at - self.reach)
            if not _is_more(now, usual):
                continue
            percent = round(100 * now.share)
            sentence = (
                f"{instances(now.errored)} of {now.number:,} that ended within "
                f"{minutes(self.window)} have failed: {percent} %"
            )
            figures: dict[str, float] = {
                "errored": now.errored,
                "ended": now.number,
                "percent": percent,
            }
            if usual.number >= LEAST_USUAL:
                sentence += f", usually {100 * usual.share:.1f} %"
                figures["usual_percent"] = round(100 * usual.share, 1)
            found.append(
                Firing(
                    of_workflow(pk),
                    place.name,
                    f"{sentence}.",
                    now.errored,
                    workflow=pk,
                    figures=figures,
                    began_at=at - self.reach,
                )
            )
        return found


def _is_more(now: Ended, usual: Ended) -> bool:
    """Whether more have failed than usual; or nobody knows what is."""
    if usual.number < LEAST_USUAL:
        return True
    p = fisher(now.errored, now.number, usual.errored, usual.number)
    return now.share >= TIMES * usual.share and p < ALPHA
