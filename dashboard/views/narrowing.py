"""Chips and menus over the instance list: each link writes the search language into the address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from operator import itemgetter
from urllib.parse import quote

from django.utils.translation import gettext, gettext_noop

from dashboard.cloudflare.types import Trigger
from dashboard.models.counting import Counts
from dashboard.models.matching import Matching
from dashboard.search.language import Query, Term, written_value
from dashboard.search.values import is_length
from dashboard.templatetags.lists import Chip, Choice
from dashboard.views.counts import in_order
from dashboard.views.links import SAFE, Links

TIMES = {
    "created": gettext_noop("Created"),
    "started": gettext_noop("Started"),
    "ended": gettext_noop("Ended"),
}
PERIODS = {
    "15m": gettext_noop("last 15 minutes"),
    "1h": gettext_noop("last hour"),
    "6h": gettext_noop("last 6 hours"),
    "24h": gettext_noop("last 24 hours"),
    "7d": gettext_noop("last 7 days"),
    "30d": gettext_noop("last 30 days"),
}
#: Workflows beyond this are named in the box: nobody reads through so long a menu.
MOST_CHOICES = 200
#: Stands in a link for a value that is put there; no query holds one.
PLACE = "\0"


class Narrowing:
    """What the list is narrowed to, and where each click leads."""

    def __init__(self, query: Query, links: Links, matching: Matching) -> None:
        self.query, self.matching = query, matching
        self.href = links.searching

    def chips(self, counts: Counts) -> list[Chip]:
        """Every status, in a fixed order."""
        wanted = self.query.values("status")
        unwanted = self.query.values("status", is_excluded=True)
        statuses = in_order(counts.numbers, (*wanted, *unwanted))
        hrefs = self._toggling("status", statuses)
        not_hrefs = self._toggling("status", statuses, is_excluded=True)
        return [
            Chip(
                status,
                counts.numbers.get(status, 0),
                counts.is_exact([status]),
                hrefs[status],
                not_hrefs[status],
                status in wanted,
                status in unwanted,
            )
            for status in statuses
        ]

    @property
    def any_status_href(self) -> str:
        return self.href(self.query.without("status"))

    @property
    def any_time_href(self) -> str:
        return self.href(self._of_any_time)

    @property
    def wider_href(self) -> str:
        """The last week, for who looked at less; "" for who looked at a range of their own."""
        periods = {value.lstrip(">=") for term in self._times for value in term.values}
        if not all(map(is_length, periods)) or periods & {"7d", "1w", "30d"}:
            return ""
        return self.href(self._since("7d"))

    @cached_property
    def workflows(self) -> list[Choice]:
        """Every workflow once, and those that are asked for but not known here."""
        known = self._places
        names = Counter(name for _, _, name in known)
        unknown = dict.fromkeys(self.query.values("workflow"))
        entries = []
        for account_id, account_name, name in known:
            asked = ""
            if unknown:
                spellings = (name, f"{account_id}/{name}", f"{account_name}/{name}")
                asked = next(filter(unknown.__contains__, spellings), "")
                unknown.pop(asked, None)
            value = asked or (name if names[name] == 1 else f"{account_id}/{name}")
            entries.append((value, name, account_name))
        return self._not_known("workflow", unknown) + self._choices(
            "workflow", entries[:MOST_CHOICES]
        )

    @property
    def accounts(self) -> list[Choice]:
        """Every account, where there are several, and those that are asked for but not known."""
        known = dict.fromkeys(place[:2] for place in self._places)
        spellings = {spelling for place in known for spelling in place}
        asked = self.query.values("account")
        unknown = [value for value in asked if value not in spellings]
        if len(known) < 2 and not asked:
            return []
        return self._not_known("account", unknown) + self._choices(
            "account",
            [(account_id if account_id in asked else name, name, "") for account_id, name in known],
        )

    @property
    def triggers(self) -> list[Choice]:
        known = [trigger.value for trigger in Trigger]
        unknown = [value for value in self.query.values("trigger") if value not in known]
        return self._not_known("trigger", unknown) + self._choices(
            "trigger", [(value, value, "") for value in known]
        )

    @property
    def time(self) -> str:
        """Which of the times is narrowed, else that of creation."""
        return next((term.key for term in self._times), "created")

    @property
    def times(self) -> list[Choice]:
        """The same narrowing of another time."""
        return [
            Choice(
                gettext(title),
                self.href(self._of_any_time.also(*self._renamed(key))),
                key == self.time,
            )
            for key, title in TIMES.items()
        ]

    @property
    def periods(self) -> list[Choice]:
        chosen = {value.lstrip(">=") for term in self._times for value in term.values}
        return [
            Choice(gettext(title), self.href(self._since(period)), chosen == {period})
            for period, title in PERIODS.items()
        ]

    @property
    def time_text(self) -> str:
        """The time range as it is written; "" when there is none."""
        return " ".join(map(str, self._times))

    @property
    def rest(self) -> str:
        """The query without its times: what a range from the form is added to."""
        return str(self._of_any_time)

    @property
    def range_from(self) -> str:
        return self._bound(">=")

    @property
    def range_to(self) -> str:
        return self._bound("<")

    def _bound(self, operator: str) -> str:
        """The absolute time behind this operator, where one stands."""
        values = (value for term in self._times for value in term.values)
        found = (value.removeprefix(operator) for value in values if value.startswith(operator))
        return next((text for text in found if text[:1].isdigit() and not is_length(text)), "")

    @cached_property
    def _places(self) -> list[tuple[str, str, str]]:
        """The account's id, its name, and the name of each workflow there ever was, once each, as
        far as it may be seen."""
        known = {
            (place.account_id, place.account_name, place.workflow_name)
            for place in self.matching.places
        }
        return sorted(known, key=itemgetter(1, 2, 0))

    @property
    def _times(self) -> list[Term]:
        return [term for term in self.query.terms if term.key in TIMES and not term.is_excluded]

    @property
    def _of_any_time(self) -> Query:
        return self.query.without(*TIMES)

    def _since(self, period: str) -> Query:
        return self._of_any_time.also(Term(self.time, (f">{period}",)))

    def _renamed(self, key: str) -> list[Term]:
        return [replace(term, key=key) for term in self._times]

    def _choices(self, key: str, entries: Iterable[tuple[str, str, str]]) -> list[Choice]:
        """One for each value, its title and its note."""
        entries = list(entries)
        chosen = self.query.values(key)
        hrefs = self._toggling(key, [value for value, _, _ in entries])
        return [
            Choice(title, hrefs[value], value in chosen, note) for value, title, note in entries
        ]

    def _toggling(
        self, key: str, values: Iterable[str], *, is_excluded: bool = False
    ) -> dict[str, str]:
        """What takes each value, or takes it back. The link to one that the query does not name
        differs in the value only, so it is written once: a menu has hundreds."""
        named = {*self.query.values(key), *self.query.values(key, is_excluded=True)}
        toggled = partial(self.query.toggled, key, is_excluded=is_excluded)
        before, _, after = self.href(toggled(PLACE)).rpartition(quote(PLACE))
        return {
            value: self.href(toggled(value))
            if value in named
            else f"{before}{_written(value)}{after}"
            for value in values
        }

    def _not_known(self, key: str, values: Iterable[str]) -> list[Choice]:
        return self._choices(key, [(value, value, gettext("not known here")) for value in values])


@lru_cache(maxsize=1024)
def _written(value: str) -> str:
    """A value as it stands in a link."""
    return quote(written_value(value), safe=SAFE)
