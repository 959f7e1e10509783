"""Reading what happens in an account as hints: each says which instance to look at, nothing more.

The events are account-wide, so an old instance that fails is heard of in seconds, wherever it
stands in the lists. They are sampled and late, though: what they leave out, polling finds, and what
an instance has become only its own detail says.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from django.core.cache import cache

from dashboard.cloudflare import Client, CloudflareError, NotFound, WorkflowEvent
from dashboard.cloudflare.errors import RateLimited, Unauthorized, Unsupported
from dashboard.cloudflare.events import BEGINNINGS, ENDS, FAILURES, PAGE_SIZE, EventType
from dashboard.models import Account, Instance, Workflow
from dashboard.models.storing import fits
from dashboard.sync.pages import Clock
from dashboard.sync.rate import rate
from dashboard.sync.reading import read_each, read_instance

logger = logging.getLogger(__name__)

#: Fifteen queries a minute, of the 60 that Cloudflare allows; a run seldom takes more than one.
READ_EVERY = timedelta(seconds=4)
#: More seldom where this share of all requests would not do.
FEED_SHARE = 0.12
#: Beat asks each second what is due; without this it would always be a second late.
EARLY = timedelta(seconds=0.5)
#: An event may show so late; this much is read again each time.
OVERLAP = timedelta(minutes=2)
#: How far back the first run looks, and the first one after a long silence.
FIRST_READ = timedelta(minutes=10)
FARTHEST_READ = timedelta(hours=1)
EVENTS_PER_RUN = 4 * PAGE_SIZE
#: Instances that were never seen here and that one run reads, so that it stays an economy.
UNKNOWN_PER_RUN = 10
#: Failures that one run looks at itself; the planner ranks the others.
FAILURES_PER_RUN = 10
PAUSE_AFTER_ERROR = timedelta(seconds=30)
#: A permission is not given, nor a dataset made, from one minute to the next.
PAUSE_AFTER_REFUSAL = timedelta(minutes=10)
PAUSE_AFTER_LIMIT = timedelta(minutes=5)
#: An event may be stamped this much after the end that it tells of.
SAME_END = timedelta(seconds=5)
ONE_SECOND = timedelta(seconds=1)
IDS_PER_QUERY = 500
FIELDS_OF_NEWS = [
    "instance_id", "status", "started_on", "ended_on", "read_on", "expired_at", "hint", "hinted_at",
]  # fmt: skip

T = TypeVar("T")
Key = tuple[str, str]  #: A workflow's name, an instance's id.


def read_feed(client: Client, account: Account, *, clock: Clock) -> None:
    """Reads the events since the last run, and then at once the instances that they say failed: a
    turn may be in the middle of a long list. Never raises CloudflareError."""
    hear(client, account, clock=clock)
    if not account.feed_error:
        _read_failures(client, account, clock)


def hear(client: Client, account: Account, *, clock: Clock) -> None:
    """Reads the events since the last run, and marks the instances that they hint at.

    Never raises CloudflareError: what failed stands in `account.feed_error`. Changes no status.
    """
    now = clock()
    try:
        fed_through = _read_events(client, account, now, clock)
    except CloudflareError as error:
        logger.info("Events of %s: %s", account.name, error)
        written = {"feed_error": str(error), "next_feed_at": clock() + pause_after(error)}
    else:
        written = {
            "feed_error": "",
            "feed_at": now,
            "fed_through": fed_through,
            "next_feed_at": now + read_every() - EARLY,
        }
    Account.objects.filter(pk=account.pk).update(**written)
    account.refresh_from_db(fields=[*written])


def read_every() -> timedelta:
    """How long after a run the next one is due."""
    return max(READ_EVERY, timedelta(seconds=1 / (FEED_SHARE * rate())))


def read_hinted(client: Client, workflow: Workflow, limit: int, *, clock: Clock) -> int:
    """Reads the details of at most `limit` instances that events hint at, failures first.

    Returns how many there were. Raises CloudflareError.
    """
    hinted = list(workflow.instances.hinted().select_related("workflow")[:limit])
    read_each(client, hinted, clock=clock)
    return len(hinted)


def _read_failures(client: Client, account: Account, clock: Clock) -> None:
    """Reads those that this run heard of, once; what cannot be read is the planner's."""
    hinted = Instance.objects.hinted().filter(workflow__account=account, hint__in=FAILURES)
    failed = hinted.filter(hinted_at__gte=account.feed_at).with_workflow()[:FAILURES_PER_RUN]
    try:
        read_each(client, failed, clock=clock)
    except CloudflareError as error:
        logger.info("Failures that events of %s tell of: %s", account.name, error)


def _read_events(client: Client, account: Account, now: datetime, clock: Clock) -> datetime:
    """Takes the hints; returns up to when events can be no news any more."""
    since = max(account.fed_through or now - FIRST_READ, now - FARTHEST_READ)
    events = client.list_events(since, now, kinds=ENDS | BEGINNINGS | FAILURES)
    found = list(islice(events, EVENTS_PER_RUN))
    _take_hints(client, account, found, clock)
    if len(found) == EVENTS_PER_RUN:
        return max(found[-1].at, since)  # There is more: go on from there, without an overlap.
    return max(since, now - OVERLAP)


def _take_hints(
    client: Client, account: Account, events: list[WorkflowEvent], clock: Clock
) -> None:
    by_instance: dict[Key, list[WorkflowEvent]] = {}
    for event in events:
        if fits(Instance, "instance_id", event.instance_id):
            by_instance.setdefault((event.workflow_name, event.instance_id), []).append(event)
    # First, or else a new event would find the place of an old hint taken.
    Instance.objects.filter(workflow__account=account).with_settled_hint().update(
        hinted_at=None, hint=""
    )
    workflows = {row.name: row for row in account.workflows.present()}
    known = dict(_known(workflows, by_instance))
    _mark(known, by_instance, clock())
    unknown = [
        (workflows[name], instance_id)
        for (name, instance_id), told in by_instance.items()
        if (name, instance_id) not in known and name in workflows and _is_worth_reading(told)
    ]
    _read_unknown(client, unknown, clock)


def _known(workflows: dict[str, Workflow], keys: Iterable[Key]) -> Iterator[tuple[Key, Instance]]:
    ids_of: dict[str, list[str]] = {}
    for name, instance_id in keys:
        ids_of.setdefault(name, []).append(instance_id)
    for name in ids_of.keys() & workflows.keys():
        rows = workflows[name].instances.only(*FIELDS_OF_NEWS)
        for ids in _parts(ids_of[name]):
            yield from (((name, row.instance_id), row) for row in rows.filter(instance_id__in=ids))


def _mark(
    known: dict[Key, Instance], by_instance: dict[Key, list[WorkflowEvent]], now: datetime
) -> None:
    """Marks those of whom an event is news; a hint that waits already keeps its place."""
    marked: dict[str, list[int]] = {}
    for key, row in known.items():
        news = [event for event in by_instance[key] if _is_news(event, row)]
        if news:
            hint = max(news, key=_weight).kind.value
            if row.hinted_at is None or hint != row.hint:
                marked.setdefault(hint, []).append(row.pk)
    for hint, pks in marked.items():
        for part in _parts(pks):
            Instance.objects.filter(pk__in=part).update(hint=hint, hinted_at=now)


def _parts(values: list[T]) -> Iterator[list[T]]:
    for first in range(0, len(values), IDS_PER_QUERY):
        yield values[first : first + IDS_PER_QUERY]


def _is_news(event: WorkflowEvent, row: Instance) -> bool:
    """Whether the row may not show yet what the event tells.

    Both clocks are Cloudflare's and both are cut to whole seconds, so that a read is newer than an
    event only when its second is a later one.
    """
    if row.expired_at or (row.read_on and row.read_on > event.at):
        return False
    if not row.is_finished:
        # That it has begun is no news of one that goes on, nor how an earlier run of it ended.
        is_of_earlier_run = row.started_on and row.started_on >= event.at + ONE_SECOND
        return event.kind in ENDS | FAILURES and not is_of_earlier_run
    if row.ended_on is None:
        return False
    if event.kind in ENDS | FAILURES:
        return row.ended_on < event.at - SAME_END
    return event.kind in BEGINNINGS and row.ended_on < event.at


def _weight(event: WorkflowEvent) -> tuple[bool, bool, datetime]:
    return event.kind is EventType.WORKFLOW_FAILURE, event.kind in FAILURES, event.at


def _is_worth_reading(told: list[WorkflowEvent]) -> bool:
    """A failure would be read anyway, for its error; what began or went well the lists bring."""
    return any(event.kind in FAILURES | {EventType.WORKFLOW_TERMINATED} for event in told)


def _read_unknown(client: Client, unknown: list[tuple[Workflow, str]], clock: Clock) -> None:
    """Reads instances that were never seen here: their rows come from their own details.

    What fails is left to the polling, and is its to tell. An id is tried once while the overlap
    brings it again.
    """
    read = 0
    for workflow, instance_id in unknown:
        if read == UNKNOWN_PER_RUN:
            return  # The overlap brings the others again.
        digest = hashlib.sha256(instance_id.encode()).hexdigest()
        if not cache.add(f"feed:{workflow.pk}:{digest}", 1, OVERLAP.total_seconds()):
            continue
        read += 1
        try:
            read_instance(client, workflow, instance_id, now=clock())
        except NotFound:
            logger.debug("An event tells of %s, which is gone already", instance_id)
        except CloudflareError as error:
            logger.info("Instance %s, of which an event tells: %s", instance_id, error)
            return


def pause_after(error: CloudflareError) -> timedelta:
    """For how long no more events are asked for."""
    if isinstance(error, RateLimited):
        seconds = error.retry_after
        return PAUSE_AFTER_LIMIT if seconds is None else timedelta(seconds=seconds)
    is_refusal = isinstance(error, Unauthorized | Unsupported)
    return PAUSE_AFTER_REFUSAL if is_refusal else PAUSE_AFTER_ERROR
