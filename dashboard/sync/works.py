"""Doing one work of the plan: ask, write down, and only then note that it is done."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.cloudflare import Client
from dashboard.cloudflare.types import Status
from dashboard.models import Version, recording
from dashboard.sync import sweep, walk
from dashboard.sync.knowing import Subject, look_again
from dashboard.sync.known import NEVER, Kind, Work, learn
from dashboard.sync.pages import Clock

#: A time for the first thing that was found, when nothing says since when it was there.
FIRST_SECONDS = 60.0


def do_work(work: Work, subject: Subject, client: Client, *, clock: Clock) -> None:
    """Does the work and notes how far it came. Raises CloudflareError; what was written until then
    stays, and doing it again does no harm."""
    progress, before = subject.progress, _found(subject)
    is_done = _DOING[work.kind](work, subject, client, clock)
    subject.workflow.refresh_from_db()
    _count_left(work, subject, clock)
    look_again({subject.workflow.pk: subject})
    if is_done:
        now = clock().timestamp()
        seconds = min(now - progress.done.get(work.name, now - FIRST_SECONDS), NEVER)
        found = max(0, _found(subject) - before)
        progress.learned[work.name] = learn(progress.learned.get(work.name), found, seconds)
        progress.done[work.name] = now
    if work.kind is Kind.DEEP_ERRORED and is_done:
        told = (subject.workflow.counts or {}).get("errored", 0)
        progress.errored_surplus = subject.held["errored"] - told
    progress.save()


def _found(subject: Subject) -> int:
    """What learning is about: rows seen, errors among them, and rows that left their status."""
    left: int = sum(subject.progress.left.values())
    return subject.held.total() + left


def _count_left(work: Work, subject: Subject, clock: Clock) -> None:
    if work.kind in {Kind.HEAD, Kind.PASS, Kind.LEFT}:
        left = sweep.left_rows(subject.workflow, subject.progress, clock())
        subject.progress.left = left.counts_by_status()


def _head(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    limit = max(1, work.cost)
    new = walk.read_newest(client, subject.workflow, subject.progress, limit=limit, clock=clock)
    if new and client.target.has_versions:
        newest = subject.workflow.instances.exclude(version_id="").newest_first().first()
        known = Version.objects.filter(workflow=subject.workflow)
        subject.has_new_version = bool(
            newest and not known.filter(version_id=newest.version_id).exists()
        )
    return True


def _gap(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    [gap, *others] = subject.young_gaps
    return walk.fill_gap(client, gap, limit=work.cost, clock=clock) and not others


def _history(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    [gap, *others] = subject.old_gaps
    return walk.fill_gap(client, gap, limit=work.cost, clock=clock) and not others


def _pass(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    return sweep.pass_over(
        client,
        subject.workflow,
        subject.progress,
        Status(work.status),
        limit=work.cost,
        clock=clock,
    )


def _errored(_work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    sweep.read_errored(client, subject.workflow, clock=clock)
    return True


def _deep_errored(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    return sweep.read_errored_deep(
        client, subject.workflow, subject.progress, limit=work.cost, clock=clock
    )


def _left(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    settled = sweep.settle_left(
        client, subject.workflow, subject.progress, limit=work.cost, clock=clock
    )
    rate = subject.progress.left_per_request
    subject.progress.left_per_request = 0.7 * rate + 0.3 * settled / work.cost
    return settled == 0


def _details(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    unread = subject.workflow.instances.filter(subject.unread_filter, expired_at=None)
    rows = list(unread.with_workflow().errored_first()[: work.cost])
    sweep.read_details(client, rows, clock=clock)
    # Done is what got nowhere: it waits its time. The others go on at once.
    return unread.filter(pk__in=[row.pk for row in rows]).count() == len(rows)


def _versions(_work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    listed = client.list_versions(subject.workflow.name)
    recording.record_versions(subject.workflow, listed, now=clock())
    subject.has_new_version = False
    return True


_DOING: dict[Kind, Callable[[Work, Subject, Client, Clock], bool]] = {
    Kind.HEAD: _head,
    Kind.GAP: _gap,
    Kind.HISTORY: _history,
    Kind.PASS: _pass,
    Kind.ERRORED: _errored,
    Kind.DEEP_ERRORED: _deep_errored,
    Kind.LEFT: _left,
    Kind.DETAILS: _details,
    Kind.VERSIONS: _versions,
}
