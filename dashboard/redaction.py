"""Keeps tokens out of logs: the last wall, behind never passing one to a logger."""

from __future__ import annotations

import logging
import re

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
