"""What the commands share: who asks, how answers are printed, and sentences for what cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pydantic
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser
from django.forms import ValidationError
from django.http import Http404
from ninja import Schema

from dashboard.api.failures import Misfit, Refused
from dashboard.cloudflare import CloudflareError
from dashboard.models import Role, User

#: A cell of a table is cut where it is longer.
LONGEST_CELL = 60
GAP = "  "


def add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print what the API would answer")


def reader() -> User:
    """Whoever has a shell here may look at everything; nobody in the database is meant."""
    return User(username="shell", role=Role.ADMIN)


def user_named(name: str) -> User:
    """Raises CommandError."""
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is no user {name}; `manage.py createuser` makes one.")
    return found


def base() -> str:
    """What stands before the path of a page."""
    return settings.PUBLIC_URL.rstrip("/") or f"http://{settings.BIND}:{settings.PORT}"


@contextmanager
def sentences() -> Iterator[None]:
    """What cannot be ends the command with its sentences."""
    try:
        yield
    except Misfit as error:
        lines = [f"{where}: {text}" for where, text in error.mistakes]
        raise CommandError("\n".join(lines) or error.detail) from error
    except ValidationError as error:
        raise CommandError("\n".join(error.messages)) from error
    except pydantic.ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}." for one in error.errors()]
        raise CommandError("\n".join(lines)) from error
    except (Refused, PermissionDenied, Http404, CloudflareError) as error:
        raise CommandError(str(error)) from error


def as_json(told: Schema) -> str:
    return told.model_dump_json(indent=2)


def table(heading: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as they need; nothing in a cell can command a terminal."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]
    lines = [
        GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [list(heading), *cells]
    ]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
