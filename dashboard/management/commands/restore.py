from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from dashboard import backup
from dashboard.supervisor import lock


class Command(BaseCommand):
    """Puts a backup of the embedded default back."""

    help = "Puts back what `backup` wrote, and brings its tables up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_URL:
            raise CommandError(
                "The database is PostgreSQL, which has its own tool: pg_restore --clean."
            )
        connections.close_all()
        try:
            backup.restore(Path(settings.DATA_DIR), options["file"])
        except (lock.AlreadyRunning, backup.NoBackup) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Nothing was put back: {error}.") from error
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(
            f"{settings.DATA_DIR} is as it was; what stood there is kept as *.before."
        )
