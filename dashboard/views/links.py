"""Links that change one parameter of the address and keep the others."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, QueryDict

#: They name a place in one list; another list begins at its start.
PLACE = ("after", "before", "until", "shown")


class Links:
    """Addresses of this page with other parameters."""

    def __init__(self, request: HttpRequest) -> None:
        self.path = request.path
        self._given = request.GET
        self._query = _without_blanks(request.GET)
        for name in PLACE:
            self._query.pop(name, None)

    @property
    def has_blanks(self) -> bool:
        """True for the address that a form without JavaScript makes: each empty field is in it."""
        return any("" in values for _, values in self._given.lists())

    @property
    def tidy(self) -> str:
        """The same page without the empty parameters."""
        return self._address(_without_blanks(self._given))

    def here(self, *, leaving_out: Iterable[str] = (), **parameters: str) -> str:
        """The same page of the list, with these parameters as far as they are not empty."""
        query = self._query.copy()
        for name in ("after", "before"):
            parameters.setdefault(name, self._given.get(name, ""))
        for name, value in parameters.items():
            if value:
                query[name] = value
        for name in leaving_out:
            query.pop(name, None)
        return self._address(query)

    def toggled(self, name: str, value: str) -> str:
        """With this value of a repeated parameter if it is not there, else without it."""
        query = self._query.copy()
        values = query.getlist(name)
        others = [other for other in values if other != value]
        query.setlist(name, others if value in values else [*values, value])
        return self._address(query)

    def replaced(self, **parameters: str) -> str:
        """With these parameters; "" takes one away."""
        query = self._query.copy()
        for name, value in parameters.items():
            query.pop(name, None)
            if value:
                query[name] = value
        return self._address(query)

    def without(self, *names: str) -> str:
        return self.replaced(**dict.fromkeys(names, ""))

    def _address(self, query: QueryDict) -> str:
        text = query.urlencode(safe="/:*")
        return f"{self.path}?{text}" if text else self.path


def _without_blanks(given: QueryDict) -> QueryDict:
    query = given.copy()
    for name, values in given.lists():
        if filled := [value for value in values if value]:
            query.setlist(name, filled)
        else:
            del query[name]
    return query
