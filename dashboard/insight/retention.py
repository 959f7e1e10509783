"""Until when Cloudflare keeps a finished instance, as far as its version tells it."""

from __future__ import annotations

from datetime import datetime

from dashboard.cloudflare.types import Status
from dashboard.insight.durations import duration


def kept_until(
    status: str, ended_on: datetime | None, success_retention: str, error_retention: str
) -> datetime | None:
    """When Cloudflare deletes it: its end and the retention of its version.

    None while it is not finished, and for a terminated one: no document says which of the two
    holds then. A retention that was given to the instance alone is not known here.
    """
    retention = {Status.COMPLETE: success_retention, Status.ERRORED: error_retention}
    kept_for = duration(retention.get(Status(status), ""))
    if ended_on is None or kept_for is None:
        return None
    try:
        return ended_on + kept_for
    except OverflowError:
        return None
