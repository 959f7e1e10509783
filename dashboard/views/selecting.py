"""The bar of what can be done with selected instances; what it sends is `bulk`'s to read."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import operations
from dashboard.models.operation import Kind
from dashboard.views.guards import signed_in
from dashboard.views.links import Links
from dashboard.views.page import HtmxHttpRequest

#: How a list looks does not matter to what is in it.
LOOKS = ("view", "columns", "density", "sort", "arranging")


@dataclass(frozen=True)
class Action:
    """One button of the bar."""

    kind: Kind

    @property
    def is_dangerous(self) -> bool:
        return self.kind in operations.DANGEROUS


@dataclass(frozen=True)
class Selection:
    """`query` finds everything that matches again. `form`: the id of the form on the page."""

    query: str
    form: str = "selection"

    @property
    def actions(self) -> list[Action]:
        return [Action(kind) for kind in operations.kinds_on_offer()]


def selection(request: HtmxHttpRequest, links: Links) -> Selection | None:
    """None for who may not act: they have nothing to select for."""
    if operations.refusal_for_user(signed_in(request)):
        return None
    return Selection(links.query(*LOOKS))
