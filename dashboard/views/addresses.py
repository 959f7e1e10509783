"""Addresses that people paste: of Cloudflare's dashboard, of its API, and of this one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_CONSOLE = re.compile(
    r"/(?P<account>[^/]+)/workers/workflows/(?P<workflow>[^/]+)(/instances?/(?P<instance>.+))?"
)
#: What the API does with an instance stands behind its id.
_API = re.compile(
    r".*/accounts/(?P<account>[^/]+)/workflows/(?P<workflow>[^/]+)"
    r"(/instances/(?P<instance>.+?)(/status|/events/[^/]+)?)?"
)


@dataclass(frozen=True)
class Address:
    """What an address names. `instance_id` is "" where it names only a workflow."""

    account_id: str
    workflow_name: str
    instance_id: str = ""


def address(text: str) -> Address | None:
    """What the pasted text names; None when it is no such address."""
    try:
        path = urlsplit(text.strip()).path.rstrip("/")
    except ValueError:
        return None
    found = _API.fullmatch(f"/{path.lstrip('/')}") or _CONSOLE.fullmatch(path)
    if found is None:
        return None
    return Address(*(unquote(found[part] or "") for part in ("account", "workflow", "instance")))
