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
    `outputs_are_text`: the log holds outputs as JSON text, not as values. `makes_ghost_rows`:
    asking for an instance that does not exist leaves an empty row in the list.
    `documents_batch_delete`: the route is in the target's own description of its API.
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
    has_token_check: bool = True
    has_account_list: bool = True
    has_workflow_definition: bool = True
    has_instance_retention: bool = True
    has_bulk_terminate: bool = True
    documents_batch_delete: bool = False
    outputs_are_text: bool = True
    makes_ghost_rows: bool = False
    has_event_feed: bool = True
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
    has_token_check=False,
    has_account_list=False,
    has_workflow_definition=False,
    has_instance_retention=False,
    has_bulk_terminate=False,
    documents_batch_delete=True,
    outputs_are_text=False,
    makes_ghost_rows=True,
    has_event_feed=False,
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
