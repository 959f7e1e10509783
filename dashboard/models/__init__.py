"""The local copy, and what people did. The only writer of rows.

The database never leads: a row of the copy changes only because Cloudflare said so.
"""

from dashboard.models.account import Account
from dashboard.models.instance import Change, Instance, InstanceDetail
from dashboard.models.operation import Item, Operation
from dashboard.models.saved_view import SavedView
from dashboard.models.search_text import SearchText
from dashboard.models.user import Role, User
from dashboard.models.workflow import Version, Workflow

__all__ = [
    "Account",
    "Change",
    "Instance",
    "InstanceDetail",
    "Item",
    "Operation",
    "Role",
    "SavedView",
    "SearchText",
    "User",
    "Version",
    "Workflow",
]
