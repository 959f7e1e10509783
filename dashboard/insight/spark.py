"""Pure: a row of numbers over time as small bars, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

HEIGHT = 24
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Spark:
    """Bars of one unit in width as the path of an SVG; `label` says in words what they show."""

    width: int
    path: str
    label: str
    height: int = HEIGHT


def columns(
    hours: Mapping[datetime, int], *, since: datetime, now: datetime, step: timedelta
) -> list[tuple[datetime, int]]:
    """Counts per hour summed up in intervals of `step`, from `since` (a whole hour) until now."""
    number = max(1, -(-(now - since) // step))
    sums = [0] * number
    for begins, count in hours.items():
        place = (begins - since) // step
        if 0 <= place < number:
            sums[place] += count
    return [(since + place * step, count) for place, count in enumerate(sums)]


def spark(counted: list[tuple[datetime, int]], step: timedelta) -> Spark:
    """One bar for each interval; what is there at all is seen."""
    top = max((count for _begins, count in counted), default=0)
    bars = []
    for place, (_begins, count) in enumerate(counted):
        if count:
            height = max(2.0, round(count / top * HEIGHT, 1))
            bars.append(f"M{place} {HEIGHT}v-{height:g}h.8v{height:g}z")
    return Spark(len(counted), "".join(bars), _label(counted, step, top))


def _label(counted: list[tuple[datetime, int]], step: timedelta, top: int) -> str:
    hours = step // HOUR
    if not top:
        return _("None failed.")
    text = ngettext(
        "At most %(top)s per hour, from %(at)s UTC on; %(last)s in the last hour.",
        "At most %(top)s per %(hours)s hours, from %(at)s UTC on; %(last)s in the last %(hours)s "
        "hours.",
        hours,
    )
    return text % {
        "top": f"{top:,}",
        "hours": hours,
        "at": dateformat.format(max(counted, key=lambda column: column[1])[0], "d M H:i"),
        "last": f"{counted[-1][1]:,}",
    }
