"""Reading how steps went: events that are older than any instance Cloudflare still holds.

What has passed is laid out as unread stretches of time, and these are read from the newest on, an
hour at most with one query: so the last minutes come first, then what a silence left out, then the
31 days before the first start; and whoever stops in the middle goes on there. Read behind the hints
of `feed`, in the lane of what is left, and only while those can be read.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from itertools import islice

from dashboard.cloudflare import Client, CloudflareError, WorkflowEvent
from dashboard.cloudflare.errors import BudgetSpent
from dashboard.cloudflare.events import LARGEST_PAGE, STEP_ENDS
from dashboard.models import Account, StepFeed, UnreadStretch, step_recording
from dashboard.sync.feed import ONE_SECOND, OVERLAP, pause_after
from dashboard.sync.pages import Clock

logger = logging.getLogger(__name__)

READ_EVERY = timedelta(seconds=30)
#: With those of `feed` at most 25 of the 60 queries a minute that Cloudflare allows.
QUERIES_PER_RUN = 5
#: Cloudflare keeps 31 days; a little less is asked for, for clocks differ.
KEPT = timedelta(days=31) - timedelta(hours=1)
#: Longer ones would be sampled more.
LONGEST = timedelta(hours=1)
#: Events are read once, so only when they have had the time to show.
SETTLED_AFTER = OVERLAP
MILLISECOND = timedelta(milliseconds=1)


def read_steps(client: Client, account: Account, *, clock: Clock) -> None:
    """Reads the newest unread step events, as many as one run may.

    Never raises CloudflareError: what failed stands in the account's `step_feed.error`. While the
    hints cannot be read, or the workflows are not known yet, nothing is asked.
    """
    feed = StepFeed.of(account)
    written: dict[str, object] = {"next_at": clock() + READ_EVERY}
    if not account.feed_error and account.counted_at is not None:
        written |= _read(client, account, clock)
    StepFeed.objects.filter(pk=feed.pk).update(**written)


def _read(client: Client, account: Account, clock: Clock) -> dict[str, object]:
    """What a run leads to, as fields of the StepFeed."""
    now = clock()
    until = (now - SETTLED_AFTER).replace(microsecond=0)
    step_recording.lay_out(account, oldest=(now - KEPT).replace(microsecond=0), until=until)
    try:
        for _ in range(QUERIES_PER_RUN):
            stretch = account.unread_stretches.first()
            if stretch is None:
                break
            _read_newest_of(client, stretch)
    except BudgetSpent as spent:
        return {"next_at": clock() + max(READ_EVERY, timedelta(seconds=spent.retry_after or 0))}
    except CloudflareError as error:
        logger.info("Step events of %s: %s", account.name, error)
        return {"error": str(error), "next_at": clock() + pause_after(error)}
    return {"error": "", "read_at": now}


def _read_newest_of(client: Client, stretch: UnreadStretch) -> None:
    """Reads the last hour of the stretch, or as much of that hour as one query holds."""
    since, until = max(stretch.since, stretch.until - LONGEST), stretch.until
    found = client.list_events(since, until - MILLISECOND, kinds=STEP_ENDS, limit=LARGEST_PAGE)
    events = [*islice(found, LARGEST_PAGE)]
    if len(events) == LARGEST_PAGE:
        until = _end_of_full(events, since)
    told = [event for event in events if since <= event.at < until and event.kind in STEP_ENDS]
    step_recording.record_stretch(stretch, since, until, told)


def _end_of_full(events: list[WorkflowEvent], since: datetime) -> datetime:
    """Up to when a full page holds everything. Of a second that fills a page alone, the rest is
    given up, as if it had been sampled."""
    return max(events[-1].at.replace(microsecond=0), since + ONE_SECOND)
