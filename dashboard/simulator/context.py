"""What the handlers of the API are given with each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .access import Grant
from .actions import finish_terminating
from .errors import no_instance, no_workflow
from .feed import Feed
from .instance import Instance
from .messages import Request, Response, succeed
from .queries import Cursors, paging
from .workflow import Workflow
from .world import World


@dataclass(frozen=True)
class Context:
    """`now` is one instant for the whole request, in ms; `list_lag` how old lists are, in ms."""

    world: World
    request: Request
    grant: Grant
    now: int
    cursors: Cursors
    old: bool
    list_lag: int
    feed: Feed

    def workflow(self, name: str) -> Workflow:
        """The workflow of a name."""
        found = self.world.workflows.get(name)
        if found is None:
            raise no_workflow()
        found.advance(self.now)
        finish_terminating(found, self.now)
        return found

    def instance(self, name: str, instance_id: str) -> Instance:
        """An instance to read."""
        found = self.workflow(name).get(instance_id, self.now)
        if found is None:
            raise no_instance()
        return found

    def pages(self, items: list[Any]) -> Response:
        """Plain paging by number, as workflows and versions have it."""
        asked = paging(self.request.parameters(), self.world.page_size)
        page = asked.page or 1
        first = (page - 1) * asked.per_page
        part = items[first : first + asked.per_page]
        info = {
            "count": len(part),
            "page": page,
            "per_page": asked.per_page,
            "total_count": len(items),
            "total_pages": -(-len(items) // asked.per_page),
        }
        return succeed(part, info=info)
