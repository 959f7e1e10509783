"""What a transaction writes of a workflow's instances, to be counted at its end."""

from __future__ import annotations

from datetime import datetime

from dashboard.models import tallies
from dashboard.models.happened import Happened
from dashboard.models.tallies import Moves
from dashboard.models.workflow import Workflow


class Written:
    """`moves`: how many there are of each status, `happened`: what began and ended."""

    def __init__(self, workflow: Workflow, now: datetime) -> None:
        self.moves = Moves()
        self.happened = Happened(now, workflow.first_seen_at)

    def count(self) -> None:
        """Call it last, and within the transaction."""
        tallies.add(self.moves, self.happened.ended)
        self.happened.add()
