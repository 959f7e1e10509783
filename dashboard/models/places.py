"""The names of all workflows: few, and asked for by every page of the list."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.models import by_hand

NAMES = """
    SELECT workflow.id, account.account_id, account.name, workflow.name
    FROM dashboard_workflow AS workflow
    JOIN dashboard_account AS account ON account.id = workflow.account_id
    ORDER BY workflow.id
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
    return [Place(*row) for row in by_hand.rows(NAMES)]
