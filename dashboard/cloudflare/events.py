"""What happens in all workflows of an account: the rows of `workflowsAdaptive`, page by page.

Follows <https://developers.cloudflare.com/workflows/observability/metrics-analytics/>.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dashboard.cloudflare import graphql, values
from dashboard.cloudflare.answers import Answer
from dashboard.cloudflare.errors import UnexpectedResponse
from dashboard.cloudflare.responses import Request
from dashboard.cloudflare.types import Json, OpenEnum

PAGE_SIZE = 5_000
#: More rows than this no dataset gives for one query.
LARGEST_PAGE = 10_000
#: Instants are asked for in milliseconds, so the next one after a tie is this much later.
STEP = timedelta(milliseconds=1)

QUERY = """query Events($account: string!, $since: Time, $until: Time) {
  viewer {
    accounts(filter: {accountTag: $account}) {
      workflowsAdaptive(
        limit: %d
        filter: {datetime_geq: $since, datetime_leq: $until%s}
        orderBy: [datetime_ASC]
      ) {
        datetime eventType workflowName instanceId stepName stepCount wallTime
      }
    }
  }
}"""


class EventType(OpenEnum):
    """What happened. The engine's own words; the pages do not list all of them."""

    WORKFLOW_QUEUED = "WORKFLOW_QUEUED"
    WORKFLOW_START = "WORKFLOW_START"
    WORKFLOW_SUCCESS = "WORKFLOW_SUCCESS"
    WORKFLOW_FAILURE = "WORKFLOW_FAILURE"
    WORKFLOW_TERMINATED = "WORKFLOW_TERMINATED"
    STEP_START = "STEP_START"
    STEP_SUCCESS = "STEP_SUCCESS"
    STEP_FAILURE = "STEP_FAILURE"
    SLEEP_START = "SLEEP_START"
    SLEEP_COMPLETE = "SLEEP_COMPLETE"
    ATTEMPT_START = "ATTEMPT_START"
    ATTEMPT_SUCCESS = "ATTEMPT_SUCCESS"
    ATTEMPT_FAILURE = "ATTEMPT_FAILURE"
    WAIT_START = "WAIT_START"
    WAIT_COMPLETE = "WAIT_COMPLETE"
    WAIT_TIMED_OUT = "WAIT_TIMED_OUT"


#: After these an instance does not go on by itself; after those it has begun (anew).
ENDS = frozenset(
    {EventType.WORKFLOW_SUCCESS, EventType.WORKFLOW_FAILURE, EventType.WORKFLOW_TERMINATED}
)
BEGINNINGS = frozenset({EventType.WORKFLOW_QUEUED, EventType.WORKFLOW_START})
#: An instance that fails nearly always had a step fail just before: where one of the two events is
#: left out, the other tells. Where the workflow caught the step's error, it goes on.
FAILURES = frozenset({EventType.WORKFLOW_FAILURE, EventType.STEP_FAILURE})
#: What tells how steps went. A step that succeeds ends with its one successful attempt, so these
#: also tell how many attempts there were.
STEP_ENDS = frozenset({EventType.STEP_SUCCESS, EventType.STEP_FAILURE, EventType.ATTEMPT_FAILURE})


@dataclass(frozen=True, slots=True)
class WorkflowEvent:
    """One thing that happened to an instance, or to a step of it (`step_name`, else "").

    `at` is Cloudflare's clock, often in whole seconds. `step_count`: the step's number within the
    instance. `wall_time_ms`: how long what ended with it took.
    """

    at: datetime
    kind: EventType
    workflow_name: str
    instance_id: str
    step_name: str = ""
    step_count: int | None = None
    wall_time_ms: int | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)


def question(
    account_id: str, since: datetime, until: datetime, kinds: Collection[EventType], limit: int
) -> Json:
    """The body of a query for at most `limit` rows; no `kinds` are all of them."""
    # As text, not as variables: their types' names are written nowhere, and have changed before.
    only = f", eventType_in: {json.dumps(sorted(kinds))}" if kinds else ""
    variables = {
        "account": account_id,
        "since": values.instant_as_text(since),
        "until": values.instant_as_text(until),
    }
    return {"query": QUERY % (limit, only), "variables": variables}


def read(answer: Answer, request: Request) -> list[Any]:
    """The rows of an answer, as they came."""
    viewer = values.mapping(graphql.data(answer, request).get("viewer"))
    accounts = values.items(viewer.get("accounts"))
    if not accounts:
        # An account that the token may not look into is left out of the list, without an error.
        raise graphql.lacks_permission(request)
    rows = values.mapping(accounts[0]).get("workflowsAdaptive")
    if not isinstance(rows, list | None):
        raise UnexpectedResponse(f"{request.title} answered a query with something unreadable.")
    return rows or []


def event(value: Any) -> WorkflowEvent | None:
    """One row; None when it does not say what happened to which instance and when."""
    row = values.mapping(value)
    at = values.instant(row.get("datetime"))
    kind, instance_id = values.text(row.get("eventType")), values.text(row.get("instanceId"))
    if at is None or not kind or not instance_id:
        return None
    return WorkflowEvent(
        at=at,
        kind=EventType(kind),
        workflow_name=values.text(row.get("workflowName")),
        instance_id=instance_id,
        step_name=values.text(row.get("stepName")),
        step_count=values.integer(row.get("stepCount")),
        wall_time_ms=values.integer(row.get("wallTime")),
        raw=row,
    )


def walk(
    ask: Callable[[datetime, int], list[Any]], since: datetime, limit: int
) -> Iterator[WorkflowEvent]:
    """All events from `since` on; `ask(since, limit)` gives the next rows, oldest first.

    There is no cursor: a full page is followed by one that begins with its last instant. Many rows
    share an instant, so those that were told already are counted and left out; where one instant
    fills a page, larger ones are asked for, and what no page holds is given up.
    """
    told: Counter[WorkflowEvent] = Counter()
    while True:
        rows = ask(since, limit)
        found = sorted(filter(None, map(event, rows)), key=lambda one: one.at)
        for one in found:
            if told[one] > 0:
                told[one] -= 1
            else:
                yield one
        if len(rows) < limit or not found:
            return
        last = found[-1].at
        told = Counter(one for one in found if one.at == last)
        if last > since:
            since = last
        elif last < since - STEP:
            return  # A server that does not heed `since` has nothing more to tell.
        elif limit < LARGEST_PAGE:
            limit = min(2 * limit, LARGEST_PAGE)
        else:
            since += STEP
