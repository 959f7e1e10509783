"""The names of all workflows: few, and asked for by every page of the list."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

#: Written by hand: the ORM takes five times as long.
NAMES = """
    SELECT workflow.id, account.account_id, account.name, workflow.name
    FROM dashboard_workflow AS workflow
    JOIN dashboard_account AS account ON account.id = workflow.account_id
"""


class Place(NamedTuple):
    """A workflow by the names it can be asked for. `account_id` is Cloudflare's."""

    pk: int
    account_id: str
    account_name: str
    workflow_name: str

    @property
    def names(self) -> set[str]:
        """How a search names it."""
        name = self.workflow_name
        return {name, f"{self.account_id}/{name}", f"{self.account_name}/{name}"}


def places() -> list[Place]:
    """Of each workflow there ever was, in the order of their keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"{NAMES} ORDER BY workflow.id")
        return [Place(*row) for row in cursor.fetchall()]
