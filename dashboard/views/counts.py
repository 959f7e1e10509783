"""Counts per status as the pages show them: the known statuses in a fixed order, then others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.cloudflare.types import Status

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
    is_chosen: bool = False


def in_order(counts: Mapping[str, int], also: Iterable[str] = ()) -> list[str]:
    """Every known status, and the unknown ones among `counts` and `also`."""
    known = [status.value for status in STATUSES]
    others = sorted({*counts, *also} - set(known))
    return known + others


def status_counts(
    counts: Mapping[str, int], statuses: Iterable[str], **parameters: str
) -> list[StatusCount]:
    """The count of each of these statuses, with a link into the instance list."""
    return [
        StatusCount(status, counts.get(status, 0), _list_address(status, parameters))
        for status in statuses
    ]


def _list_address(status: str, parameters: Mapping[str, str]) -> str:
    query = urlencode({**parameters, "status": status}, safe="/:")
    return f"{reverse('instances')}?{query}"
