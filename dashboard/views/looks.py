"""How the instance list looks, and the chooser that changes it."""

from __future__ import annotations

from django.http import QueryDict

from dashboard.forms.looks import DENSITIES, LooksForm
from dashboard.templatetags.lists import ColumnChoice
from dashboard.views.columns import COLUMNS, DEFAULT, column
from dashboard.views.links import Links

#: What the chooser's form says itself; `arranging` keeps it open while columns are moved.
SAID = ("columns", "density", "earlier", "arranging")


class Looks:
    """The columns, in order, and the density, from the list's address."""

    def __init__(self, address: QueryDict, links: Links) -> None:
        self.form = LooksForm(address, known=COLUMNS, default=DEFAULT)
        self.links = links
        self.is_arranging = "arranging" in address

    @property
    def columns(self) -> tuple[str, ...]:
        return self.form.chosen

    @property
    def density(self) -> str:
        return str(self.form.cleaned_data.get("density", DENSITIES[0]))

    @property
    def is_untidy(self) -> bool:
        return self.form.is_untidy

    @property
    def tidy(self) -> str:
        """The same list with its columns written in one way, moved where that was asked for."""
        is_moved = "earlier" in self.form.address
        return self.links.replaced(
            columns=self.form.text, earlier="", arranging="1" if is_moved else ""
        )

    @property
    def usual_href(self) -> str:
        return self.links.without(*SAID)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the chooser's form takes along."""
        return self.links.kept(*SAID)

    @property
    def choices(self) -> list[ColumnChoice]:
        """The chosen columns in their order, then the others."""
        chosen = [
            ColumnChoice(key, column(key).title, is_chosen=True, can_move=place > 0)
            for place, key in enumerate(self.columns)
        ]
        others = [
            ColumnChoice(key, one.title) for key, one in COLUMNS.items() if key not in self.columns
        ]
        return chosen + others
