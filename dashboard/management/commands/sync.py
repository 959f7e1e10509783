from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from dashboard import connection, sync
from dashboard.cloudflare import Lane, Spender


class Command(BaseCommand):
    """One sync from the shell, with a progress bar."""

    help = "Copies workflows and instances from Cloudflare into the local database, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account_id", nargs="*", help="only these accounts; all by default")

    def handle(self, *args: Any, **options: Any) -> None:
        configured = connection.configured_accounts()
        if not configured:
            raise CommandError("No Cloudflare account is configured; `manage.py check` says how.")
        wanted = options["account_id"] or list(configured)
        if unknown := set(wanted) - set(configured):
            raise CommandError(f"Not configured here: {', '.join(sorted(unknown))}.")
        accounts = sync.ensure_accounts((id_, configured[id_].name) for id_ in wanted)
        failed = []
        for account in accounts:
            client = connection.connect(account.account_id, Lane.FRESHNESS, Spender.SHELL)
            with tqdm(unit="workflow") as bar:
                bar.set_description(account.name)

                def report(name: str, done: int, total: int, bar: tqdm[Any] = bar) -> None:
                    bar.total = total
                    bar.set_postfix_str(name, refresh=False)
                    bar.update(done - bar.n)

                sync.sync_account(client, account, clock=timezone.now, report=report)
            self.stdout.write(
                f"{account.name}: {account.workflows.present().count()} workflows, "
                f"{account.last_requests} requests."
            )
            if account.sync_error:
                failed.append(f"{account.name}: {account.sync_error}")
        if failed:
            raise CommandError("\n".join(failed))
