"""Addresses with a parameter for each filter, as links and forms still write them, in the search
language. What cannot be read is kept: the language says what is wrong with it."""

from __future__ import annotations

from django.http import QueryDict

from dashboard.search.language import Query, Term, parse

#: Parameters that are a key of the same name; they may be repeated.
SAME = ("status", "account", "workflow", "trigger", "version")
TIME = ("time", "since", "from", "to")
OLD = (*SAME, *TIME)
TIMES = ("created", "started", "ended")


def translated(address: QueryDict) -> QueryDict:
    """The same with all filters in `q`."""
    if not any(name in address for name in OLD):
        return address
    query, _ = parse(address.get("q", ""))
    for name in SAME:
        if values := tuple(filter(None, address.getlist(name))):
            query = query.also(Term(name, values))
    query = _timed(address, query)
    new = address.copy()
    for name in OLD:
        new.pop(name, None)
    if query.terms:
        new["q"] = str(query)
    return new


def _timed(address: QueryDict, query: Query) -> Query:
    """With the times of the address, instead of those that are about the same."""
    key = address.get("time") or "created"
    told = (("since", ">"), ("from", ">="), ("to", "<"))
    terms = [
        Term(key, (f"{operator}{value}",))
        for name, operator in told
        if (value := address.get(name))
    ]
    return query.without(*TIMES).also(*terms) if terms else query
