from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dashboard.api import instances
from dashboard.forms.instance_filters import DEFAULT_SORT
from dashboard.management.shell import add_json, as_json, base, reader, sentences, table


class Command(BaseCommand):
    """The list of instances in a shell."""

    help = "Lists the instances that a search finds, from the local copy."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("q", nargs="*", help="as in the search box, such as status:errored")
        parser.add_argument("--sort", default=DEFAULT_SORT)
        parser.add_argument("--limit", type=int, choices=range(1, 501), default=50, metavar="N")
        parser.add_argument("--after", default="", help="goes on behind an earlier page")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        told = {"q": " ".join(options["q"]), "sort": options["sort"], "after": options["after"]}
        with sentences():
            page = instances.found(reader(), told, options["limit"], base())
        if options["json"]:
            self.stdout.write(as_json(page))
            return
        heading = ("STATUS", "WORKFLOW", "ID", "CREATED", "DOING", "SEEN", "ERROR")
        rows = [
            (
                f"{row.status}{' (stuck)' if row.is_stuck else ''}",
                row.workflow,
                row.id,
                row.created_on,
                " ".join(filter(None, (row.phase, row.current_step))),
                row.seen_at,
                row.error_name or row.error_message,
            )
            for row in page.instances
        ]
        self.stdout.write(table(heading, rows))
        if page.matches is not None:
            more = "" if page.is_exact else " at least"
            self.stderr.write(f"{len(rows)} of{more} {page.matches:,}; times are UTC.")
        if page.next:
            self.stderr.write(f"More: --after {page.next}")
