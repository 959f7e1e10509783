"""Doing one work of the plan: ask, write down, and only then note that it is done."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.cloudflare import Client
from dashboard.cloudflare.types import Status
from dashboard.models import Version, recording
from dashboard.sync import leaving, sweep, walk
from dashboard.sync.feed import read_hinted
from dashboard.sync.knowing import Subject, count, cover, find_gaps
from dashboard.sync.known import NEVER, Kind, Work, learn
from dashboard.sync.pages import Clock
from dashboard.sync.reading import read_each

#: A time for the first thing that was found, when nothing says since when it was there.
FIRST_SECONDS = 60.0


def do_work(work: Work, subject: Subject, client: Client, *, clock: Clock) -> None:
    """Does the work and notes how far it came. Raises CloudflareError; what was written until then
    stays, and doing it again does no harm."""
    if work.kind is Kind.HISTORY:
        _fill_history(work, subject, client, clock)
        return
    before = subject.held.total()
    try:
        is_done = _DOING[work.kind](work, subject, client, clock)
    finally:
        look_again(subject, clock)
    if is_done:
        _note_done(work, subject, before, clock().timestamp())
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


def _note_done(work: Work, subject: Subject, before: int, now: float) -> None:
    """Notes when the work was finished, and at which rate there was something to find."""
    progress = subject.progress
    seconds = min(now - progress.done.get(work.name, now - FIRST_SECONDS), NEVER)
    found = max(0, subject.held.total() - before)
    progress.learned[work.name] = learn(progress.learned.get(work.name), found, seconds)
    progress.done[work.name] = now
    if work.kind is Kind.DEEP_ERRORED:
        told = (subject.workflow.counts or {}).get(Status.ERRORED, 0)
        progress.errored_surplus = subject.held[Status.ERRORED] - told


def _head(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    limit = max(1, work.cost)
    new = walk.read_newest(client, subject.workflow, subject.progress, limit=limit, clock=clock)
    leaving.mark_silent(subject.workflow, subject.held, clock=clock)
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


def _pass(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    status = Status(work.status)
    workflow, progress = subject.workflow, subject.progress
    return sweep.pass_over(client, workflow, progress, status, limit=work.cost, clock=clock)


def _errored(_work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    sweep.read_errored(client, subject.workflow, clock=clock)
    return True


def _deep_errored(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    workflow, progress = subject.workflow, subject.progress
    return sweep.read_errored_deep(client, workflow, progress, limit=work.cost, clock=clock)


def _left(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    settled = leaving.settle_left(client, subject.workflow, limit=work.cost, clock=clock)
    rate = subject.progress.left_per_request
    subject.progress.left_per_request = 0.7 * rate + 0.3 * settled / work.cost
    return settled == 0


def _details(work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    """What events hint at, then errors, the newest first. It is done each time, so that a workflow
    with a thousand errors takes turns with the others."""
    hinted = read_hinted(client, subject.workflow, work.cost, clock=clock)
    unread = subject.urgent_rows().with_workflow()
    read_each(client, list(unread[: work.cost - hinted]), clock=clock)
    return True


def _versions(_work: Work, subject: Subject, client: Client, clock: Clock) -> bool:
    listed = client.list_versions(subject.workflow.name)
    recording.record_versions(subject.workflow, listed, now=clock())
    subject.has_new_version = False
    return True


_DOING: dict[Kind, Callable[[Work, Subject, Client, Clock], bool]] = {
    Kind.HEAD: _head,
    Kind.GAP: _gap,
    Kind.PASS: _pass,
    Kind.ERRORED: _errored,
    Kind.DEEP_ERRORED: _deep_errored,
    Kind.LEFT: _left,
    Kind.DETAILS: _details,
    Kind.VERSIONS: _versions,
}
