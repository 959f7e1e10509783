from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from dashboard import backup


class Command(BaseCommand):
    """A backup of the embedded default, made while the dashboard runs."""

    help = "Copies the embedded default's database and key into a new file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="such as dashboard-2026-11-22.tar.gz")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_URL:
            raise CommandError(
                "The database is PostgreSQL, which has its own tool: pg_dump --format=custom. "
                "Keep SECRET_KEY with what it writes: channels of alerts are sealed with it."
            )
        file: Path = options["file"]
        with tqdm(unit="page", disable=not self.stderr.isatty()) as bar:

            def report(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                backup.save(Path(settings.DATA_DIR), file, report)
            except FileExistsError as error:
                raise CommandError(f"{file} exists; choose another name.") from error
            except (OSError, sqlite3.Error) as error:
                raise CommandError(f"Nothing was copied: {error}.") from error
        self.stdout.write(f"{file}, {file.stat().st_size / 1e6:,.1f} MB. It opens what it holds.")
