"""No credential reaches a log, and a database that is away is one line, not a traceback."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest
from celery import signals
from celery.beat import SchedulingError
from celery.utils.dispatch.signal import Signal
from django.conf import settings
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as NotSent

import dashboard.celery  # noqa: F401  (what connects itself to the signals)
from dashboard.logs import redact

SECRET = "s3cr3t-Value_1"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the configured handler writes of a logger of its own."""
    stream = StringIO()
    config = settings.LOGGING
    handler = logging.StreamHandler(stream)
    for name in config["handlers"]["console"]["filters"]:
        handler.addFilter(
            logging.config.DictConfigurator({}).resolve(config["filters"][name]["()"])()
        )
    logger = logging.getLogger("tests.of.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)
    logger.propagate = True


LOGGER = logging.getLogger("tests.of.logs")


def log(error: Exception, message: str, *arguments: object) -> None:
    """Logs it as whoever caught it does."""
    LOGGER.error(message, *arguments, exc_info=error)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization=bearer {SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f'{{"x-auth-key": "{SECRET}"}}',
        f"X-Auth-Key: {SECRET}",
        f"CLOUDFLARE_API_TOKEN={SECRET} manage.py",
        f"CLOUDFLARE_API_KEY='{SECRET}'",
        f"?token={SECRET}&page=2",
        f"password: {SECRET}",
        f"postgres://user:{SECRET}@host:5432/name",
        f"redis://:{SECRET}@host/0",
    ],
)
def test_whatever_looks_like_a_credential_is_starred(text: str) -> None:
    assert SECRET not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Cloudflare answered 403; the token lacks Workers Scripts: Edit.",
        "GET http://127.0.0.1:8787/workflows 200",
        "sync of prod: 12 workflows, 34 requests",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert redact(text) == text


def test_arguments_and_tracebacks_are_starred_too(written: StringIO) -> None:
    log(
        ValueError(f"Authorization: Bearer {SECRET}"),
        "sent %s",
        {"Authorization": f"Bearer {SECRET}"},
    )

    assert SECRET not in written.getvalue()
    assert "ValueError: Authorization: Bearer ***" in written.getvalue()


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_one_line(written: StringIO, kind: type[Exception]) -> None:
    log(kind(f"connection to postgres://u:{SECRET}@db failed"), "Task %s", "sync_account")

    [line] = written.getvalue().splitlines()
    assert line.startswith("Task sync_account: the database does not answer (connection to ")
    assert SECRET not in line


@pytest.mark.parametrize("kind", [NotSent, SchedulingError])
def test_a_redis_that_is_away_is_one_line(written: StringIO, kind: type[Exception]) -> None:
    log(kind(f"redis://:{SECRET}@host: refused"), "Message Error: %s\n%s", "why", ["stack"])

    [line] = written.getvalue().splitlines()
    assert line == "Redis does not answer: redis://:***@host: refused"


@pytest.mark.parametrize("signal", [signals.after_setup_logger, signals.after_setup_task_logger])
def test_the_loggers_that_celery_sets_up_write_no_more_than_ours(signal: Signal) -> None:
    stream, logger = StringIO(), logging.getLogger(f"tests.of.{signal.name}")
    logger.addHandler(logging.StreamHandler(stream))
    signal.send(sender=None, logger=logger)

    logger.error("token=%s of beat", SECRET, exc_info=OperationalError("no connection"))

    [line] = stream.getvalue().splitlines()
    assert line == "token=*** of beat: the database does not answer (no connection)"


def test_any_other_error_keeps_its_traceback(written: StringIO) -> None:
    log(KeyError("what"), "Task failed")

    assert "KeyError: 'what'" in written.getvalue()
