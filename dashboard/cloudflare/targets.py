"""What talks Workflows: Cloudflare itself, or a local `wrangler dev`, and how they differ.

A target is facts, not behaviour: the client asks it, so that no `if` about targets stands anywhere
else. What a target cannot do is False here and said on the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

CLOUDFLARE_URL = "https://api.cloudflare.com/client/v4"
EXPLORER_PATH = "/cdn-cgi/local/explorer/api"


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of server. `title` is its name on a page; `lacks` says what cannot be had there.

    `pages_by`: how lists are walked. `is_list_live`: list rows are read from the engine itself, so
    they are never older than the request (Cloudflare's own come from shards that may lag).
    """

    title: str
    has_accounts: bool = True
    needs_token: bool = True
    pages_by: Literal["cursor", "page"] = "cursor"
    create_key: Literal["instance_id", "id"] = "instance_id"
    has_step_output: bool = True
    has_batch: bool = True
    has_versions: bool = True
    has_workflow_counts: bool = True
    has_list_times: bool = True
    can_filter_rolling_back: bool = True
    is_list_live: bool = False
    console_url: str = ""


CLOUDFLARE = Target(
    title="Cloudflare",
    console_url="https://dash.cloudflare.com/{account_id}/workers/workflows/"
    "{workflow_name}/instance/{instance_id}",
)

LOCAL_EXPLORER = Target(
    title="wrangler dev",
    has_accounts=False,
    needs_token=False,
    pages_by="page",
    create_key="id",
    has_step_output=False,
    has_batch=False,
    has_versions=False,
    has_workflow_counts=False,
    has_list_times=False,
    can_filter_rolling_back=False,
    is_list_live=True,
)


def target_of(base_url: str) -> tuple[Target, str]:
    """The target behind a base URL, and the URL its paths are appended to.

    The address of a `wrangler dev` (`http://127.0.0.1:8787`) is enough: its API's path is added.
    """
    parts = urlsplit(base_url)
    if "/cdn-cgi/" in parts.path:
        return LOCAL_EXPLORER, base_url.rstrip("/")
    if parts.path in {"", "/"}:
        return LOCAL_EXPLORER, base_url.rstrip("/") + EXPLORER_PATH
    return CLOUDFLARE, base_url.rstrip("/")
