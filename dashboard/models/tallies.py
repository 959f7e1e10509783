"""Counts of instances by status that cost nothing to read, and how they are kept true.

Whoever writes instances collects `Moves` and adds them last in the same transaction: a tally's row
is locked only while a transaction ends, and always in the same order, so nobody waits in a circle.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from django.db import connection, transaction

from dashboard.models import by_hand
from dashboard.models.tally import Tally

if TYPE_CHECKING:
    from dashboard.models.instance import Instance

#: How many instances more, or fewer, there are of (workflow's key, status, has not expired).
Moves = Counter[tuple[int, str, bool]]
NOTHING: Mapping[tuple[int, str], int] = {}
ADD = (
    "INSERT INTO dashboard_tally (workflow_id, status, held, live, ended) VALUES {} "
    "ON CONFLICT (workflow_id, status) DO UPDATE SET "
    "held = dashboard_tally.held + excluded.held, live = dashboard_tally.live + excluded.live, "
    "ended = dashboard_tally.ended + excluded.ended"
)
COUNTS = "SELECT status, sum(held) FROM dashboard_tally GROUP BY status"
COUNTS_OF = "SELECT status, sum(held) FROM dashboard_tally WHERE workflow_id IN {} GROUP BY status"
DRIFT = """
    SELECT status, sum(held), sum(live) FROM (
        SELECT status, count(*) AS held, count(*) FILTER (WHERE expired_at IS NULL) AS live
        FROM dashboard_instance WHERE workflow_id = %s GROUP BY status
        UNION ALL
        SELECT status, -held, -live FROM dashboard_tally WHERE workflow_id = %s
    ) AS counted GROUP BY status
"""


def counts(workflows: Iterable[int] | None = None) -> dict[str, int]:
    """How many instances are kept of each status, of all workflows or of those with these keys."""
    if workflows is None:
        found = by_hand.rows(COUNTS)
    else:
        found = by_hand.rows(COUNTS_OF, keys) if (keys := [*workflows]) else []
    return {status: int(number) for status, number in found if number}


def counts_by_workflow(workflows: Iterable[int]) -> dict[int, dict[str, int]]:
    """The same for each of them."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    tallies = Tally.objects.filter(workflow__in=[*workflows], held__gt=0)
    for pk, status, held in tallies.values_list("workflow", "status", "held"):
        found[pk][status] = held
    return found


def live_counts(workflows: Collection[int]) -> dict[int, Counter[str]]:
    """How many instances Cloudflare still has, for all that is known, of each status: of each of
    the workflows, by its key."""
    found: dict[int, Counter[str]] = {pk: Counter() for pk in workflows}
    tallies = Tally.objects.filter(workflow__in=workflows, live__gt=0)
    for pk, status, live in tallies.values_list("workflow", "status", "live"):
        found[pk][status] = live
    return found


def place(row: Instance) -> tuple[int, str, bool]:
    """Where the row is counted."""
    return row.workflow_id, row.status, row.expired_at is None


def add(moves: Moves, ended: Mapping[tuple[int, str], int] = NOTHING) -> None:
    """Counts what a transaction wrote; call it last, and within that transaction.

    `ended`: how often an instance of this workflow was seen to end in this status.
    """
    changes: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (workflow_id, status, is_live), number in moves.items():
        change = changes[workflow_id, status]
        change[0] += number
        change[1] += number * is_live
    for place, number in ended.items():
        changes[place][2] += number
    rows: list[tuple[int | str, ...]] = [
        (*key, *change) for key, change in sorted(changes.items()) if any(change)
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        statement = ADD.format(", ".join(["(%s, %s, %s, %s, %s)"] * len(rows)))
        cursor.execute(statement, [*chain.from_iterable(rows)])


def recount(workflow_id: int) -> None:
    """Counts a workflow's instances anew: instead of `add`, where it is not known what was written.

    Adds by how much the tallies are wrong, as one statement sees both, and not the count itself:
    so it may run while others write.
    """
    with transaction.atomic():
        moves = Moves()
        with connection.cursor() as cursor:
            cursor.execute(DRIFT, [workflow_id, workflow_id])
            for status, held, live in cursor.fetchall():
                moves[workflow_id, status, True] = int(live)
                moves[workflow_id, status, False] = int(held) - int(live)
        add(moves)
