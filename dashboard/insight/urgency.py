"""Pure: which workflow needs somebody first.

The rule, as the overview says it: first where more failed than usual, the most first. Usual is what
the share of failures of the 24 hours before would give for as many ends; where too few ended then
to tell a share, every failure counts. Then the workflows with the most stuck instances, the most
errored ones, the most unfinished ones, and by name. Those that Cloudflare no longer lists come
last.
"""

from __future__ import annotations

from dataclasses import dataclass

#: So many must have ended for their share of failures to be called usual.
LEAST = 20


@dataclass(frozen=True, slots=True)
class Need:
    """What the rule looks at. `failed` of `ended`: lately; `usual_failed` of `usual_ended`: in the
    24 hours before."""

    name: str
    failed: int = 0
    ended: int = 0
    usual_failed: int = 0
    usual_ended: int = 0
    stuck: int = 0
    errored: int = 0
    unfinished: int = 0
    is_gone: bool = False

    @property
    def usual_percent(self) -> float | None:
        """Of a hundred that ended in the 24 hours before, how many failed; None when that were too
        few to tell."""
        return 100 * self.usual_failed / self.usual_ended if self.usual_ended >= LEAST else None

    @property
    def unusual(self) -> int:
        """How many more failed than usual."""
        expected = (self.usual_percent or 0) * self.ended / 100
        return max(0, round(self.failed - expected))


def worst_first(need: Need) -> tuple[bool, int, int, int, int, str]:
    """Sorts by the rule."""
    return (
        need.is_gone,
        -need.unusual,
        -need.stuck,
        -need.errored,
        -need.unfinished,
        need.name,
    )
