"""What the planner is told, and what it answers: plain values, no clock, no database."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PER_PAGE = 100
#: The most requests that one work may be given; more is cut, and goes on in a later work.
LONGEST_WORK = 10
#: What was never done is as good as this old, in seconds.
NEVER = 7200.0
#: Rows per second that change where nothing is known yet.
UNLEARNED = 1 / 3000
FIRST_MEMORY, MEMORY, MEMORY_ROWS = 60.0, 1800.0, 10


class Kind(enum.StrEnum):
    """A way to ask. What each does stands in `works.py`."""

    COUNTS = "counts"
    HEAD = "head"
    GAP = "gap"
    ERRORED = "errored"
    DEEP_ERRORED = "deep-errored"
    PASS = "pass"  # noqa: S105 - a pass over a list
    LEFT = "left"
    HINTED = "hinted"
    DETAILS = "details"
    VERSIONS = "versions"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one workflow. Instants are seconds of one clock; missing ones were never.

    `told`: Cloudflare's counts by status as of `told_at`, None where it gives none. `held`: rows
    here by status, without those that left it. `changed_at`: when the counts last differed.
    `arrived`: instances that came since the newest page was read, as far as the counts tell.
    `near`: the part of each status's held rows that stood on that page.
    `errored_missing`: errored instances that Cloudflare counts and that are not held;
    `errored_deep`: those of them that were still missing after the newest page of the errored list
    was last read. `left`: rows that their status's list no longer shows; `left_per_request`: how
    many of them one request settles. `hinted_failures`, `hinted_others`: instances that events tell
    of and that were not read since, those that failed and the rest. `errored_unread`: rows whose
    details somebody waits for. `gap`: requests to close what the newest pages did not reach;
    `history`: whether older pages were never read. `done`: when a kind of work (for a pass, also
    its status: `pass:waiting`) was last finished; of a pass, when that one had begun. `learned`:
    rows per second that each kind corrected: new ones, changed ones, and those that were noticed to
    have left.
    """

    workflow: int
    told: Mapping[str, int] | None = None
    told_at: float = 0.0
    held: Mapping[str, int] = field(default_factory=dict)
    changed_at: float = 0.0
    arrived: int = 0
    near: Mapping[str, float] = field(default_factory=dict)
    errored_missing: int = 0
    errored_deep: int = 0
    left: int = 0
    left_per_request: float = 3.0
    hinted_failures: int = 0
    hinted_others: int = 0
    errored_unread: int = 0
    gap: int = 0
    history: bool = False
    has_versions: bool = True
    has_new_version: bool = False
    deep_pages: int = 1
    is_watched: bool = False
    done: Mapping[str, float] = field(default_factory=dict)
    learned: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """An account: its workflows; when its counts were last read; requests per second it may use.

    `unfinished`: the statuses whose lists can be asked for.
    """

    workflows: Sequence[Known]
    counted_at: float | None
    rate: float
    unfinished: Sequence[str]


@dataclass(frozen=True, slots=True)
class Work:
    """The next thing to ask, for at most `cost` requests. `workflow` is None for the counts."""

    kind: Kind
    workflow: int | None
    cost: int
    gain: float
    status: str = ""

    @property
    def name(self) -> str:
        """What `Known.done` calls it."""
        return f"{self.kind}:{self.status}" if self.status else self.kind.value


def learn(known: float | None, found: int, seconds: float) -> float:
    """The rate, in rows per second, after a look that corrected so many after so long.

    What was known weighs as `MEMORY` seconds, or as `MEMORY_ROWS` rows if that is less: a quiet
    workflow is not forgotten because one look found nothing, a busy one is believed at once.
    """
    if known is None:
        known, memory = UNLEARNED, FIRST_MEMORY
    else:
        memory = MEMORY_ROWS / max(known, MEMORY_ROWS / MEMORY)
    return (found + known * memory) / (max(seconds, 0.0) + memory)
