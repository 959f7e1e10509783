"""Looking at every unfinished instance: one pass per status, then those that no pass showed."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import Invalid, NotFound, Unsupported
from dashboard.cloudflare.types import UNFINISHED, Status
from dashboard.models import Instance, Workflow, recording
from dashboard.sync.reading import read_instance
from dashboard.sync.walk import Clock, batches

#: How many single instances one sync reads: those that ended since, and those without a detail.
READS_PER_SYNC = 50


def sweep_unfinished(client: Client, workflow: Workflow, *, clock: Clock) -> None:
    """Passes over each unfinished status, then reads what no pass showed: it ended, or expired.

    An instance can change its status between two passes and be missed by both; reading those that
    were not seen covers that too.
    """
    began = clock()
    seen: set[int] = set()
    for status in sorted(UNFINISHED):
        if _is_worth_asking(workflow, status):
            seen |= _pass(client, workflow, status, clock)
    unfinished = workflow.instances.unfinished().filter(seen_at__lt=began).order_by("seen_at")
    # Rows that a pass showed as they were are not written, so only the passes know of them.
    missing = (pk for pk in unfinished.values_list("pk", flat=True).iterator() if pk not in seen)
    read_each(client, [*unfinished.filter(pk__in=[*islice(missing, READS_PER_SYNC)])], clock=clock)
    Workflow.objects.filter(pk=workflow.pk).update(swept_at=clock())


def read_each(client: Client, instances: list[Instance], *, clock: Clock) -> None:
    """Reads the detail of each; one that is gone is marked so, and the others go on."""
    for instance in instances:
        try:
            read_instance(client, instance.workflow, instance.instance_id, now=clock())
        except NotFound as error:
            if error.what == "workflow":
                raise


def _is_worth_asking(workflow: Workflow, status: Status) -> bool:
    """False when Cloudflare's own fresh count of this status is zero."""
    return workflow.counts is None or workflow.counts.get(status.value) != 0


def _pass(client: Client, workflow: Workflow, status: Status, clock: Clock) -> set[int]:
    """Copies every instance in this status; the keys of those that were known as they are. A target
    that does not know the status has none."""
    seen: set[int] = set()
    with suppress(Invalid, Unsupported):
        for pages in batches(client.list_instances(workflow.name, status=status), clock):
            recorded = recording.record_pages(
                workflow, pages, now=clock(), is_list_live=client.target.is_list_live
            )
            seen.update(recorded.seen)
    return seen
