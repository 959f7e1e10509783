"""Walking a workflow's instance list, newest first, until nothing in it can be new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import CloudflareError
from dashboard.models import Workflow, recording
from dashboard.models.recording import Listed

Clock = Callable[[], datetime]

#: A row may appear in a list some seconds after it was created.
OVERLAP = timedelta(seconds=60)
PAGES_AT_ONCE = 10


def walk_newest(client: Client, workflow: Workflow, *, clock: Clock) -> int:
    """Copies the newest pages until one reaches back behind what was walked before and holds
    nothing new. Returns how many rows were new.

    The mark `walked_through` moves only when the walk came to its end, so that one that was
    interrupted leaves no gap: the next goes as far back as the one before it.
    """
    mark: datetime | None = None
    new = 0

    def may_be_last(page: types.InstancePage) -> bool:
        return _reaches_behind(page.instances, workflow.walked_through)

    for pages in batches(client.list_instances(workflow.name), clock, is_enough=may_be_last):
        recorded = recording.record_pages(
            workflow, pages, now=clock(), is_list_live=client.target.is_list_live
        )
        new += recorded.new
        created = [row.created_on for page in pages for row in page.rows if row.created_on]
        if mark is None and created:
            mark = max(created)
        if recorded.new == 0 and _reaches_behind(pages[-1].rows, workflow.walked_through):
            break
    if mark is not None:
        workflow.walked_through = max(mark, workflow.walked_through or mark)
    workflow.walked_at = clock()
    workflow.save(update_fields=["walked_through", "walked_at"])
    return new


def batches(
    pages: Iterator[types.InstancePage],
    clock: Clock,
    *,
    is_enough: Callable[[types.InstancePage], bool] = lambda page: False,
) -> Iterator[list[Listed]]:
    """The pages in batches of ten, because writing a thousand rows at once costs half; a page that
    `is_enough` ends its batch. What was read before a failure is handed on before that is raised.
    """
    batch: list[Listed] = []
    asked_at = clock()
    try:
        for page in pages:
            batch.append(Listed(page.instances, asked_at))
            if len(batch) == PAGES_AT_ONCE or is_enough(page):
                yield batch
                batch = []
            asked_at = clock()
    except CloudflareError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _reaches_behind(rows: Iterable[types.Instance], walked_through: datetime | None) -> bool:
    """True when the page, and so every later one, is older than what was walked before.

    Only a page that is sorted newest first can promise that: Cloudflare documents no order.
    """
    created = [row.created_on for row in rows if row.created_on]
    if walked_through is None or not created or created != sorted(created, reverse=True):
        return False
    return created[-1] < walked_through - OVERLAP
