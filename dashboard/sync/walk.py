"""Walking a workflow's instance list, newest first, until nothing in it can be new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from dashboard.cloudflare import Client, types
from dashboard.models import Workflow, recording

Clock = Callable[[], datetime]

#: A row may appear in a list some seconds after it was created.
OVERLAP = timedelta(seconds=60)


def walk_newest(client: Client, workflow: Workflow, *, clock: Clock) -> int:
    """Copies the newest pages until one reaches back behind what was walked before and holds
    nothing new. Returns how many rows were new.

    The mark `walked_through` moves only when the walk came to its end, so that one that was
    interrupted leaves no gap: the next goes as far back as the one before it.
    """
    mark: datetime | None = None
    new = 0
    asked_at = clock()
    for page in client.list_instances(workflow.name):
        recorded = recording.record_page(
            workflow,
            page.instances,
            asked_at=asked_at,
            now=clock(),
            is_list_live=client.target.is_list_live,
        )
        new += recorded.new
        created = [row.created_on for row in page.instances if row.created_on]
        if mark is None and created:
            mark = max(created)
        if recorded.new == 0 and _reaches_behind(page, workflow.walked_through):
            break
        asked_at = clock()
    if mark is not None:
        workflow.walked_through = max(mark, workflow.walked_through or mark)
    workflow.walked_at = clock()
    workflow.save(update_fields=["walked_through", "walked_at"])
    return new


def _reaches_behind(page: types.InstancePage, walked_through: datetime | None) -> bool:
    """True when the page, and so every later one, is older than what was walked before.

    Only a page that is sorted newest first can promise that: Cloudflare documents no order.
    """
    created = [row.created_on for row in page.instances if row.created_on]
    if walked_through is None or not created or created != sorted(created, reverse=True):
        return False
    return created[-1] < walked_through - OVERLAP
