"""What logs may hold: no token (the last wall, behind never passing one to a logger), and no
traceback for a database that is away, which is nobody's mistake in this code."""

from __future__ import annotations

import logging
import re

from django.db import InterfaceError, OperationalError

#: What Django raises while the database does not answer.
DATABASE_AWAY = (OperationalError, InterfaceError)

SECRET = re.compile(
    r"(?i)(bearer\s+|(?:authorization|x-auth-key|token|api_key|password)['\"]?\s*[:=]\s*['\"]?)"
    r"(?!bearer\s)[^\s'\",;&]+"
)
URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@")


def redact(text: str) -> str:
    """The text with whatever looks like a credential replaced by stars."""
    return URL_PASSWORD.sub(r"\1***@", SECRET.sub(r"\1***", text))


class NoSecrets(logging.Filter):
    """Redacts the message and the traceback of each record before a handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class Outages(logging.Filter):
    """Turns the traceback of a database that does not answer into one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, DATABASE_AWAY):
            record.msg = f"{record.getMessage()}: the database does not answer ({error})"
            record.args = record.exc_info = None
            record.exc_text = None
        return True
