"""How the web server runs: `gunicorn --config python:dashboard.gunicorn_conf dashboard.wsgi`.

`manage.py up` uses it, and a service manager that starts gunicorn itself can too.
"""

from __future__ import annotations

import gc
import os
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from dashboard.supervisor.child import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

bind = [f"{settings.BIND}:{settings.PORT}"]
workers = settings.WEB_WORKERS
worker_class = "gthread"
threads = 8
# Pages poll every few seconds; the default of 2 would close the connection before each poll.
keepalive = 75
graceful_timeout = 8
accesslog = None
loglevel = "warning"
# The control socket would stand in the home directory; nothing here uses it.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Puts style sheets and scripts where they are served from: a web server that was started by
    itself, or after an upgrade, needs nothing done beforehand."""
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)


def post_fork(server: Any, worker: Any) -> None:
    """A worker ends with the process that started it, even when that is killed."""
    die_with_parent()
    # The answer about ten thousand steps is half a million objects, and none of them garbage: the
    # usual thresholds look through them again and again, a third of the time that the page takes.
    # The young are looked through often: what a hundred pages leave behind takes 60 ms at once.
    # And those that lived on at times, or what every page leaves adds up to 50 MB.
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)
