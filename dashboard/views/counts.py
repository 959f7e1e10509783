"""Counts per status as the pages show them: the known statuses in a fixed order, then others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from django.urls import reverse

from dashboard.cloudflare.types import Status
from dashboard.search.language import Query, Term
from dashboard.views.links import SAFE

#: What needs somebody comes first, what is over and well comes last.
STATUSES = (
    Status.ERRORED,
    Status.RUNNING,
    Status.WAITING,
    Status.QUEUED,
    Status.PAUSED,
    Status.WAITING_FOR_PAUSE,
    Status.ROLLING_BACK,
    Status.TERMINATED,
    Status.COMPLETE,
)


@dataclass(frozen=True)
class StatusCount:
    """How many instances have this status, and the list of them."""

    status: str
    number: int
    href: str


def in_order(counts: Mapping[str, int], also: Iterable[str] = ()) -> list[str]:
    """Every known status, and the unknown ones among `counts` and `also`."""
    known = [status.value for status in STATUSES]
    others = sorted({*counts, *also} - set(known))
    return known + others


def status_counts(
    counts: Mapping[str, int], statuses: Iterable[str], **terms: str
) -> list[StatusCount]:
    """The count of each of these statuses, with a link into the instance list."""
    return [
        StatusCount(status, counts.get(status, 0), list_address(**terms, status=status))
        for status in statuses
    ]


def list_address(**terms: str | Sequence[str]) -> str:
    """The instance list, narrowed by these terms of the search language; by one term for each value
    where a key has several, which must all hold."""
    return _list_address(
        tuple(
            (key, value)
            for key, told in terms.items()
            for value in ([told] if isinstance(told, str) else told)
        )
    )


@lru_cache(maxsize=4096)
def _list_address(terms: tuple[tuple[str, str], ...]) -> str:
    """The same: a page has hundreds, and the next page mostly the same ones."""
    query = Query(tuple(Term(key, (value,)) for key, value in terms))
    return f"{reverse('instances')}?q={quote(str(query), safe=SAFE)}"
