"""Doing one work of the plan: ask, write down, and only then note that it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dashboard.cloudflare import Client
from dashboard.cloudflare.types import Status
from dashboard.models import Version, recording
from dashboard.sync import leaving, sweep, walk
from dashboard.sync.feed import read_hinted
from dashboard.sync.knowing import Subject, count, cover, find_gaps
from dashboard.sync.known import NEVER, Kind, Work, learn
from dashboard.sync.pages import Clock, Walked
from dashboard.sync.reading import read_each

#: A time for the first thing that was found, when nothing says since when it was there.
FIRST_SECONDS = 60.0


def do_work(work: Work, subject: Subject, client: Client, *, clock: Clock) -> None:
    """Does the work and notes how far it came. Raises CloudflareError; what was written until then
    stays, and doing it again does no harm."""
    if work.kind is Kind.HISTORY:
        _fill_history(work, subject, client, clock)
        return
    try:
        walked = _DOING[work.kind](work, subject, client, clock)
    finally:
        look_again(subject, clock)
    if walked.is_done:
        _note_done(work, subject, walked, clock())
    subject.progress.save()


def _fill_history(work: Work, subject: Subject, client: Client, clock: Clock) -> None:
    """Older pages. Two processes may do so at once: each begins where the pages are now, and leaves
    the progress alone, which the other may write."""
    by_pk = {subject.workflow.pk: subject}
    find_gaps(by_pk)
    if subject.history:
        walk.fill_gap(client, subject.history[0], limit=work.cost, clock=clock)
        find_gaps(by_pk)


def look_again(subject: Subject, clock: Clock) -> None:
    """Takes over what has been written of the workflow since."""
    subject.workflow.refresh_from_db()
    by_pk = {subject.workflow.pk: subject}
    count(by_pk)
    find_gaps(by_pk)
    cover(subject, clock())


def _note_done(work: Work, subject: Subject, walked: Walked, now: datetime) -> None:
    """Notes as of when the work is done, and at which rate there was something to find."""
    progress, instant = subject.progress, now.timestamp()
    seconds = min(instant - progress.done.get(work.name, instant - FIRST_SECONDS), NEVER)
    progress.learned[work.name] = learn(progress.learned.get(work.name), walked.found, seconds)
    progress.done[work.name] = (walked.began_at or now).timestamp()
    if work.kind is Kind.DEEP_ERRORED:
        told = (subject.workflow.counts or {}).get(Status.ERRORED, 0)
        progress.errored_surplus = subject.held[Status.ERRORED] - told
    if work.kind is Kind.ERRORED:
        progress.errored_deep = subject.errored_missing()


def _head(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    limit = max(1, work.cost)
    walked = walk.read_newest(client, subject.workflow, subject.progress, limit=limit, clock=clock)
    leaving.mark_silent(subject.workflow, subject.held, clock=clock)
    walk.look_for_missing(subject.workflow, subject.progress, now=clock())
    if walked.found and client.target.has_versions:
        newest = subject.workflow.instances.exclude(version_id="").newest_first().first()
        known = Version.objects.filter(workflow=subject.workflow)
        subject.has_new_version = bool(
            newest and not known.filter(version_id=newest.version_id).exists()
        )
    return walked


def _gap(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    [gap, *others] = subject.young_gaps
    walked = walk.fill_gap(client, gap, limit=work.cost, clock=clock)
    return Walked(walked.is_done and not others, walked.found)


def _pass(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    status = Status(work.status)
    workflow, progress = subject.workflow, subject.progress
    return sweep.pass_over(client, workflow, progress, status, limit=work.cost, clock=clock)


def _errored(_work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    return sweep.read_errored(client, subject.workflow, clock=clock)


def _deep_errored(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    workflow, progress = subject.workflow, subject.progress
    return sweep.read_errored_deep(client, workflow, progress, limit=work.cost, clock=clock)


def _left(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    settled = leaving.settle_left(client, subject.workflow, limit=work.cost, clock=clock)
    rate = subject.progress.left_per_request
    subject.progress.left_per_request = 0.7 * rate + 0.3 * settled / work.cost
    return Walked(is_done=True, found=settled)


def _hinted(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    return Walked(True, read_hinted(client, subject.workflow, work.cost, clock=clock))


def _details(work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    """It is done each time, so that a workflow with a thousand errors takes turns with others."""
    rows = list(subject.urgent_rows().with_workflow()[: work.cost])
    read_each(client, rows, clock=clock)
    return Walked(is_done=True, found=len(rows))


def _versions(_work: Work, subject: Subject, client: Client, clock: Clock) -> Walked:
    listed = client.list_versions(subject.workflow.name)
    recording.record_versions(subject.workflow, listed, now=clock())
    subject.has_new_version = False
    return Walked(is_done=True, found=0)


_DOING: dict[Kind, Callable[[Work, Subject, Client, Clock], Walked]] = {
    Kind.HEAD: _head,
    Kind.GAP: _gap,
    Kind.PASS: _pass,
    Kind.ERRORED: _errored,
    Kind.DEEP_ERRORED: _deep_errored,
    Kind.LEFT: _left,
    Kind.HINTED: _hinted,
    Kind.DETAILS: _details,
    Kind.VERSIONS: _versions,
}
