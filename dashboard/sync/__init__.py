"""Cloudflare -> database. Every function may be interrupted anywhere and run twice at once."""

from dashboard.sync.account import back_fill, ensure_accounts, freshen, sync_account
from dashboard.sync.feed import read_feed
from dashboard.sync.graphs import read_graph
from dashboard.sync.reading import read_instance
from dashboard.sync.steps import read_steps

__all__ = [
    "back_fill",
    "ensure_accounts",
    "freshen",
    "read_feed",
    "read_graph",
    "read_instance",
    "read_steps",
    "sync_account",
]
