"""Keeping what Cloudflare is about to delete, and what could not be kept whole before.

Asked for in the lowest lane of the budget, a few at a time: failures first, the soonest first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import (
    CloudflareError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from dashboard.cloudflare.types import Status
from dashboard.evidence.keeping import NotKept, keep_whole
from dashboard.insight.durations import duration
from dashboard.models import Account, Instance, InstanceDetail, Snapshot, Version, Why, recording
from dashboard.models.kept_answer import not_in_log

logger = logging.getLogger(__name__)

#: So long before Cloudflare deletes an instance it is kept.
AHEAD = timedelta(hours=6)
#: A snapshot that is still not whole after this stays as it is.
GIVE_UP_AFTER = timedelta(days=1)
PER_ROUND = 100
#: No new one is begun after this; the next round comes every five minutes.
ROUND = timedelta(minutes=2)
#: A retention above this is no retention that Cloudflare has.
LONGEST = timedelta(days=366)
#: The retentions of Cloudflare's plans, from the free one on: one that was missed leaves the next.
USUAL = (timedelta(days=3), timedelta(days=7), timedelta(days=30))
#: Which retention of its version an instance has, by its status; failures come first. No document
#: says which of the two a terminated one has: it is kept before the first, and if that was missed,
#: before the second.
RETENTIONS = (
    (Status.ERRORED, "error_retention"),
    (Status.TERMINATED, "error_retention"),
    (Status.TERMINATED, "success_retention"),
    (Status.COMPLETE, "success_retention"),
)


def keep_due(client: Client, account: Account, *, clock: Callable[[], datetime]) -> int:
    """Keeps what is due in this account; returns how many were kept. The rest waits for the next
    round: when the time is up, the budget spent, or Cloudflare away."""
    done, began = 0, clock()
    rows = [(row, Why.WHOLE) for row in _incomplete(account, began)]
    if client.target.has_versions:  # Others delete nothing by themselves.
        rows += [(row, Why.EXPIRING) for row in _expiring(account, began)]
    for row, why in rows[:PER_ROUND]:
        if clock() - began > ROUND:
            break
        try:
            done += _keep(client, row, why, clock())
        except (RateLimited, Unauthorized, Unreachable) as error:
            logger.info("Nothing more can be kept now: %s", error)
            break
        except CloudflareError as error:
            logger.warning("%s could not be kept: %s", row, error)
    return done


def _keep(client: Client, row: Instance, why: Why, now: datetime) -> bool:
    """Keeps it, read once more where there is more to know; False when there was nothing to keep
    any more."""
    thin = Snapshot.objects.of_generation(row)
    thin.filter(retry_at__isnull=False).update(retry_at=now + timedelta(minutes=5))
    if not _is_known_whole(row) and not _read_again(client, row, now):
        thin.update(retry_at=None)
        return False
    with suppress(NotKept):
        keep_whole(client, row, why, now=now)
        thin.update(retry_at=None)
    return True


def _is_known_whole(row: Instance) -> bool:
    """Whether it was read as it ended, and the log held all of it: to ask again would cost a
    request and tell nothing new."""
    known = InstanceDetail.objects.filter(instance=row, generation=row.generation).first()
    detail = known and known.parse()
    return bool(detail and detail.status == row.status and not not_in_log(detail))


def _read_again(client: Client, row: Instance, now: datetime) -> bool:
    """False when Cloudflare no longer has it, or not this start of it."""
    try:
        detail = client.get_instance(row.workflow.name, row.instance_id)
    except NotFound as error:
        if error.what != "workflow":
            recording.record_absence(row, now=now)
        return False
    read = recording.record_detail(row.workflow, row.instance_id, detail, now=now)
    return read.generation == row.generation


def _incomplete(account: Account, now: datetime) -> list[Instance]:
    """Instances of which a snapshot lacks outputs that may still be had."""
    Snapshot.objects.filter(retry_at__lt=now, taken_at__lt=now - GIVE_UP_AFTER).update(
        retry_at=None
    )
    due = Snapshot.objects.filter(
        workflow=OuterRef("workflow"),
        instance_id=OuterRef("instance_id"),
        generation=OuterRef("generation"),
        retry_at__lte=now,
    )
    keys = Snapshot.objects.filter(retry_at__lte=now, workflow__account=account)
    rows = Instance.objects.with_workflow().filter(
        Exists(due), expired_at=None, instance_id__in=keys.values("instance_id")
    )
    return list(rows.filter(workflow__account=account)[:PER_ROUND])


def _expiring(account: Account, now: datetime) -> list[Instance]:
    """Finished instances that Cloudflare deletes within hours and of which nothing is kept."""
    kept = Snapshot.objects.filter(
        workflow=OuterRef("workflow"),
        instance_id=OuterRef("instance_id"),
        generation=OuterRef("generation"),
        read_at__gte=OuterRef("ended_on"),
    )
    rows = Instance.objects.with_workflow().filter(workflow__account=account, expired_at=None)
    found: list[Instance] = []
    for status, retention in RETENTIONS:
        due = rows.filter(_deleted_soon(account, retention, now), ~Exists(kept), status=status)
        found += due.order_by("ended_on")[: PER_ROUND - len(found)]
    return list(dict.fromkeys(found))


def _deleted_soon(account: Account, retention: str, now: datetime) -> Q:
    """Which instances end within hours, by each retention that a version has in this field, or by
    those of Cloudflare's plans where their version tells none."""
    versions = Version.objects.filter(workflow__account=account, workflow__gone_at=None).order_by()
    found, telling = Q(), []
    for told in versions.values_list(retention, flat=True).distinct():
        kept_for = duration(told)
        if kept_for is None or kept_for > LONGEST:
            continue
        telling.append(told)
        of_these = versions.filter(**{retention: told}).values("version_id")
        found |= Q(version_id__in=of_these) & _ends_soon(kept_for, now)
    told_by = versions.filter(**{f"{retention}__in": telling}).values("version_id")
    untold = Q()
    for kept_for in USUAL:
        untold |= _ends_soon(kept_for, now)
    return found | (~Q(version_id__in=told_by) & untold)


def _ends_soon(kept_for: timedelta, now: datetime) -> Q:
    until = now - kept_for
    return Q(ended_on__gt=until, ended_on__lte=until + AHEAD)
