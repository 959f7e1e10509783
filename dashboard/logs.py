"""What logs may hold: no token (the last wall, behind never passing one to a logger), and no
traceback for a database or a Redis that is away, which is nobody's mistake in this code."""

from __future__ import annotations

import logging
import re

from celery.beat import SchedulingError
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as NotSent

#: What Django raises while the database does not answer.
DATABASE_AWAY = (OperationalError, InterfaceError)
#: What Celery raises, and its beat, where Redis does not take a task.
REDIS_AWAY = (NotSent, SchedulingError)

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
    """Turns the traceback of a database, or of a Redis, that does not answer into one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, DATABASE_AWAY):
            self._say(record, f"{record.getMessage()}: the database does not answer ({error})")
        elif isinstance(error, REDIS_AWAY):
            self._say(record, f"Redis does not answer: {error}")
        return True

    def _say(self, record: logging.LogRecord, line: str) -> None:
        record.msg = line
        record.args = record.exc_info = None
        record.exc_text = None


def watch_over(logger: logging.Logger, **_: object) -> None:
    """Lets a logger that others have set up write nothing else either."""
    for handler in logger.handlers:
        handler.addFilter(Outages())
        handler.addFilter(NoSecrets())
