"""How a reader looks at the steps of an instance: which of them, when, and what is open.

All of it stands in the address, so a link shows the next person the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight.states import state_of

#: Members of a fold that one more click shows.
MORE_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class View:
    """`text`: part of a name. `since` and `until` bound the time axis. `opened`: idle stretches
    drawn to scale, by the second they begin at. `unfolded`: how many members of a fold are shown,
    by the fold's key. `step`: the one that a permalink names. `page`: of the table, as it stands in
    the address. `others`: what else stands there.
    """

    text: str = ""
    type: str = ""
    only_failed: bool = False
    since: datetime | None = None
    until: datetime | None = None
    opened: frozenset[int] = frozenset()
    unfolded: dict[int, int] = field(default_factory=dict)
    step: int | None = None
    page: str = ""
    others: tuple[tuple[str, str], ...] = ()

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.type or self.only_failed)

    @property
    def is_zoomed(self) -> bool:
        return self.since is not None or self.until is not None

    def matches(self, step: Step, detail: InstanceDetail) -> bool:
        """Whether the filter leaves this step as it is."""
        if self.text and self.text.casefold() not in step.name.casefold():
            return False
        if self.type and step.type != self.type:
            return False
        return not self.only_failed or has_failed(step, detail)

    # -- addresses, relative to the page ----------------------------------------------------------

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """What a form keeps in hidden fields, beside the fields that it shows."""
        found = [*self.others]
        found += [("open", str(second)) for second in sorted(self.opened)]
        found += [("unfold", f"{key}:{shown}") for key, shown in sorted(self.unfolded.items())]
        return found

    @property
    def address(self) -> str:
        told = {
            "q": self.text,
            "type": self.type,
            "failed": "1" if self.only_failed else "",
            "from": as_text(self.since),
            "to": as_text(self.until),
            "steps": self.page,
            "step": "" if self.step is None else str(self.step),
        }
        return "?" + urlencode([*self.parameters, *((k, v) for k, v in told.items() if v)])

    def but(self, **changes: Any) -> Self:
        """The same view with these changes, and at no particular step."""
        return replace(self, **({"step": None} | changes))

    def to_step(self, step: Step, detail: InstanceDetail) -> str:
        """The permalink of a step; without the filter where that would leave the step out."""
        found = self.but(step=step.index, page="", unfolded={})
        if not self.matches(step, detail):
            found = replace(found, text="", type="", only_failed=False)
        return f"{found.address}#step-{step.index}"

    @property
    def without_filter(self) -> str:
        return self.but(text="", type="", only_failed=False, page="").address + "#timeline"

    @property
    def without_zoom(self) -> str:
        return self.but(since=None, until=None).address + "#timeline"

    @property
    def with_breaks(self) -> str:
        return self.but(opened=frozenset()).address + "#timeline"

    def opening(self, second: int) -> str:
        """With the idle stretch that begins at this second drawn to scale."""
        return self.but(opened=self.opened | {second}).address + "#timeline"

    def unfolding(self, key: int, shown: int) -> str:
        """With so many members of this fold; 0 folds it."""
        others = {name: count for name, count in self.unfolded.items() if name != key}
        changed = others | ({key: shown} if shown else {})
        return self.but(unfolded=changed).address + f"#fold-{key}"

    def page_href(self, number: int) -> str:
        return self.but(page=str(number)).address + "#steps"


@dataclass(frozen=True, slots=True)
class StillView(View):
    """Everything, on a page whose address cannot say how it is looked at: links stay on it."""

    @property
    def address(self) -> str:
        return ""


def has_failed(step: Step, detail: InstanceDetail) -> bool:
    """It failed, or an attempt of it did."""
    if any(attempt.success is False for attempt in step.attempts):
        return True
    return state_of(step, detail).is_problem


def as_text(moment: datetime | None) -> str:
    """A moment as an address and a form's field hold it, in UTC."""
    if moment is None:
        return ""
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="milliseconds").removesuffix(".000")
