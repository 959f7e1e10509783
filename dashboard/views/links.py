"""Links that change one parameter of the address and keep the others."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from urllib.parse import quote, urlencode

from django.http import HttpRequest, QueryDict

from dashboard.search.language import Query

#: What stands in an address as it is, so that people can read it.
SAFE = "/:*,"
#: They name a place in one list; another list begins at its start.
PLACE = ("after", "before", "until", "shown")


class Links:
    """Addresses of this page with other parameters. `address`: its own, as it is written today."""

    def __init__(self, request: HttpRequest, address: QueryDict | None = None) -> None:
        self.path = request.path
        self._given = _without_blanks(request.GET if address is None else address)
        self._query = self._given.copy()
        for name in PLACE:
            self._query.pop(name, None)
        #: False for old links, and for what a form without JavaScript makes: each empty field.
        self.is_tidy = self._given == request.GET

    @property
    def tidy(self) -> str:
        """The same page in the search language and without empty parameters."""
        return self._address(self._given)

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

    def replaced(self, **parameters: str) -> str:
        """With these parameters; "" takes one away."""
        query = self._query.copy()
        for name, value in parameters.items():
            query.pop(name, None)
            if value:
                query[name] = value
        return self._address(query)

    def searching(self, query: Query) -> str:
        """The list of this query from its start, with the other parameters as they are."""
        text = quote(str(query), safe=SAFE)
        told = [*filter(None, [self._without_query]), *([f"q={text}"] if text else [])]
        return f"{self.path}?{'&'.join(told)}" if told else self.path

    def elsewhere(self, path: str) -> str:
        """Another page with the same query and order."""
        query = self._query.copy()
        for name in set(query) - {"q", "sort"}:
            del query[name]
        return f"{path}?{query.urlencode(safe=SAFE)}" if query else path

    @cached_property
    def _without_query(self) -> str:
        """Written once: a page has a link for each status and workflow."""
        others = self._query.copy()
        others.pop("q", None)
        return others.urlencode(safe=SAFE)

    @property
    def others(self) -> list[tuple[str, str]]:
        """What a form that searches anew takes along."""
        return self.kept("q")

    def without(self, *names: str) -> str:
        return self.replaced(**dict.fromkeys(names, ""))

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """What a form that changes these parameters takes along: the others, without the place."""
        return [
            (name, value)
            for name, values in self._query.lists()
            for value in values
            if name not in without
        ]

    def query(self, *without: str) -> str:
        """The part behind the `?` of the same list from its start, without these parameters."""
        return urlencode(self.kept(*without), safe=SAFE)

    def _address(self, query: QueryDict) -> str:
        text = query.urlencode(safe=SAFE)
        return f"{self.path}?{text}" if text else self.path


def _without_blanks(given: QueryDict) -> QueryDict:
    query = given.copy()
    for name, values in given.lists():
        if filled := [value for value in values if value]:
            query.setlist(name, filled)
        else:
            del query[name]
    return query
