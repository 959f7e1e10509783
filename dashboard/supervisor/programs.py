"""Which programs one start needs: the web server, the workers, and exactly one beat."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from dashboard.supervisor.child import Program

# Celery warns at length whenever root starts it; who runs as root here does so in a container.
CALM = ("-W", "ignore:You're running")
CELERY = (sys.executable, *CALM, "-m", "celery", "--quiet", "--app", "dashboard")


def application(*, listener: int, web_workers: int, celery_workers: int) -> Iterator[Program]:
    """The dashboard's own processes. `listener` is the file number of the listening socket."""
    yield Program("web", _web(listener, web_workers), pass_fds=(listener,))
    for number in range(1, celery_workers + 1):
        name = "worker" if celery_workers == 1 else f"worker{number}"
        yield Program(name, _worker(name, "fresh", threads=4))
    # A process of its own, so that no number of old pages keeps those waiting who look at new ones.
    yield Program("backfill", _worker("backfill", "backfill", threads=2))
    yield Program("beat", _beat())


def _web(listener: int, workers: int) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "gunicorn", "--config", "python:dashboard.gunicorn_conf"),
        *("--bind", f"fd://{listener}", "--workers", str(workers), "dashboard.wsgi"),
    )


def _worker(name: str, queue: str, *, threads: int) -> tuple[str, ...]:
    # Tasks wait for answers, they do not compute: threads, in one process. Gossip and mingle are
    # for workers that look at each other; ours look at the database.
    return (
        *(*CELERY, "worker", "--hostname", f"{name}@%h", "--loglevel", "WARNING"),
        *("--queues", queue, "--pool", "threads", "--concurrency", str(threads)),
        *("--without-gossip", "--without-mingle"),
    )


def _beat() -> tuple[str, ...]:
    # The schedule is code and is kept in memory: no file that a killed beat could leave broken.
    return (*CELERY, "beat", "--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING")
