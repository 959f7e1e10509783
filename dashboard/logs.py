"""What logs hold: never a token (the last wall, behind never passing one to a logger), no traceback
for a database or a Redis that is away, which is nobody's mistake in this code, and beside each line
the request or the task that it was written for."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Any

from celery.beat import SchedulingError
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as NotSent
from pythonjsonlogger.json import JsonFormatter

#: What Django raises while the database does not answer.
DATABASE_AWAY = (OperationalError, InterfaceError)
#: What Celery raises, and its beat, where Redis does not take a task.
REDIS_AWAY = (NotSent, SchedulingError)

SECRET = re.compile(
    r"(?i)(bearer\s+|(?:authorization|x-auth-key|token|api_key|password)['\"]?\s*[:=]\s*['\"]?)"
    r"(?!bearer\s)[^\s'\",;&]+"
)
#: A token of ours is known by how it begins, wherever it stands.
OWN_TOKEN = re.compile(r"\b(wfd_)[\w-]{16,}")
URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@")

#: What this thread is at work for: `request_id`, `task`, `task_id`, as far as there are any.
_work: ContextVar[Mapping[str, str]] = ContextVar("work", default=MappingProxyType({}))


def begin(**facts: str) -> Token[Mapping[str, str]]:
    """From now on lines of this thread bear these facts, until `end` is called with what it
    returns."""
    return _work.set(facts)


def end(token: Token[Mapping[str, str]]) -> None:
    _work.reset(token)


def request_id() -> str:
    """Of the request that this thread answers, or that sent the task it works on; or nothing."""
    return _work.get().get("request_id", "")


def redact(text: str) -> str:
    """The text with whatever looks like a credential replaced by stars."""
    text = OWN_TOKEN.sub(r"\1***", SECRET.sub(r"\1***", text))
    return URL_PASSWORD.sub(r"\1***@", text)


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


class Work(logging.Filter):
    """Puts what this thread is at work for beside the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        vars(record).update(_work.get())
        return True


class Json(JsonFormatter):
    """One object a line: time, level, logger, message, and whatever stands beside the record."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Numbers as they are, all else as text without credentials, the traceback too."""
        return {
            key: value if isinstance(value, int | float) else redact(str(value))
            for key, value in log_data.items()
        }


def watch_over(logger: logging.Logger, **_: object) -> None:
    """Lets a logger that others have set up write as ours do."""
    from django.conf import settings

    for handler in logger.handlers:
        for kind in (Outages, NoSecrets, Work):
            handler.addFilter(kind())
        if settings.LOG_FORMAT == "json":
            handler.setFormatter(Json())
