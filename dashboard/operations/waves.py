"""Pure: whether the next of many may be sent, judged by what became of those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.models import Item
from dashboard.models.operation import Kind, State

#: Of a long wave, the latest so many are judged, once there are at least so many.
LATEST = 100
FEWEST = 25
#: How long a wave waits to be seen done, once Cloudflare has accepted it.
PATIENCE = timedelta(seconds=30)
#: These may rightly take hours to be seen: what Cloudflare accepted is enough.
SLOW = frozenset({Kind.PAUSE, Kind.SEND_EVENT})
#: What counts as gone wrong. Of a lost answer it is not known yet.
WRONG = (State.FAILED, State.LOST)


@dataclass(frozen=True)
class Verdict:
    """`waits_for`: how many of the wave before are still to be seen. `halt`: why nothing more may
    be sent until somebody decides, "" when it may."""

    waits_for: int = 0
    halt: str = ""

    @property
    def may_go_on(self) -> bool:
        return not self.waits_for and not self.halt


def judge_waves(
    following: Item, before: Sequence[Item], *, kind: Kind, stop_above: int, now: datetime
) -> Verdict:
    """Whether `following` may be sent. `before`: what was sent or skipped before it, the latest
    first, as far as it counts."""
    in_wave = [item for item in before if item.wave == following.wave]
    if in_wave:
        tried = _tried(in_wave)[:LATEST]
        return Verdict(halt=_halt(tried, stop_above) if len(tried) >= FEWEST else "")
    last = [item for item in before if item.wave == following.wave - 1]
    if open_ones := [item for item in last if _is_open(item, kind, now)]:
        return Verdict(waits_for=len(open_ones))
    return Verdict(halt=_halt(_tried(last), stop_above))


def _tried(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.state != State.SKIPPED]


def _is_open(item: Item, kind: Kind, now: datetime) -> bool:
    if item.state in {State.SENDING, State.LOST}:
        return True
    if item.state != State.ACCEPTED or kind in SLOW:
        return False
    return item.answered_at is not None and now - item.answered_at < PATIENCE


def _halt(tried: Sequence[Item], stop_above: int) -> str:
    wrong = sum(item.state in WRONG for item in tried)
    if not wrong or 100 * wrong <= stop_above * len(tried):
        return ""
    return f"{wrong} of {len(tried)} failed."
