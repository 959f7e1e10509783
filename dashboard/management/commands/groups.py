from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dashboard.api import groups
from dashboard.forms.groups import PERIODS, USUAL
from dashboard.insight.group_state import GroupState
from dashboard.management.shell import add_json, as_json, base, reader, sentences, table


class Command(BaseCommand):
    """The groups of failures in a shell."""

    help = "Lists failures by their cause, what matters first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workflow", default="", help="its account's id, a slash, its name")
        states = [state.slug for state in GroupState]
        parser.add_argument("--state", action="append", default=[], choices=states)
        parser.add_argument("--since", default=USUAL, choices=list(PERIODS))
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences():
            told = groups.listed(
                reader(), options["workflow"], options["state"], options["since"], base()
            )
        if options["json"]:
            self.stdout.write(as_json(told))
            return
        heading = ("GROUP", "STATE", "FAILED", "WORKFLOW", "STEP", "LAST SEEN", "ERROR")
        rows = [
            (
                *(one.pk, one.state, one.recent, one.workflow, one.step_name, one.last_seen_on),
                ": ".join(filter(None, (one.error_name, one.message))),
            )
            for one in told.groups
        ]
        self.stdout.write(table(heading, rows))
        if told.left_out:
            self.stderr.write(f"{told.left_out:,} more are not shown.")
        if told.unread:
            self.stderr.write(f"{told.unread:,} errored instances are in no group yet.")
