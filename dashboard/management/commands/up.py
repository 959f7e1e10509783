"""Everything with one command: `manage.py up`, which `make run` calls."""

from __future__ import annotations

import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.utils import DatabaseError

from dashboard.supervisor import address, demo, lock, programs, redis, simulator
from dashboard.supervisor.child import die_with_parent
from dashboard.supervisor.supervisor import Supervisor

MANAGE = Path(settings.BASE_DIR) / "manage.py"
DATA_DIR = Path(settings.DATA_DIR)


def say(name: str, line: str) -> None:
    """One line of output, behind the name of the process it comes from."""
    sys.stdout.write(f"{name:<9} | {line}\n")
    sys.stdout.flush()


class Command(BaseCommand):
    help = (
        "Start web server, Celery worker and beat together, and what they need; Ctrl-C stops all."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default=settings.BIND, help="Address to listen on.")
        parser.add_argument("--port", type=int, default=settings.PORT, help="0 takes a free port.")
        parser.add_argument(
            "--stop-with-parent",
            action="store_true",
            help="End at once when the caller is killed (`make` sets this).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stop_with_parent"]:
            die_with_parent()
        # The programs find the code from wherever this was called, and paths keep their meaning.
        path = [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        try:
            with (
                lock.hold(DATA_DIR),
                address.listen(options["bind"], options["port"]) as listener,
            ):
                code = self._run(listener)
        except (lock.AlreadyRunning, address.AddressTaken, redis.FolderNotOurs) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)
        sys.exit(code)

    def _run(self, listener: socket.socket) -> int:
        supervisor = Supervisor(say)
        with_simulator = simulator.is_wanted()
        try:
            self._start_what_is_needed(supervisor, with_simulator=with_simulator)
            for program in programs.application(
                listener=listener.fileno(),
                web_workers=settings.WEB_WORKERS,
                celery_workers=settings.CELERY_WORKERS,
            ):
                supervisor.start(program)
            supervisor.pass_on_output()
            self._announce(address.url_of(listener), with_simulator=with_simulator)
        except BaseException:
            supervisor.kill()
            raise
        code = supervisor.run()
        say("up", "Stopped." if code == 0 else "Stopped; something had to be killed.")
        return code

    def _start_what_is_needed(self, supervisor: Supervisor, *, with_simulator: bool) -> None:
        """Simulator, Redis and database: at once, because each takes its time to start."""
        port = address.free_port() if with_simulator else 0
        if with_simulator:
            os.environ.update(simulator.environment(port), DATA_DIR=str(DATA_DIR))
            supervisor.start(simulator.program(MANAGE, port))
        if not settings.REDIS_URL:
            redis.ensure_folder(settings.REDIS_SOCKET)
            supervisor.start(redis.program(settings.REDIS_SOCKET))
        self._check()
        self._migrate()
        if not settings.REDIS_URL and not redis.wait_until_ready(
            settings.REDIS_SOCKET, lambda: supervisor.is_running("redis")
        ):
            log = redis.log_path(settings.REDIS_SOCKET)
            raise CommandError(f"The private Redis server did not start; {log} may say why.")
        if with_simulator and not simulator.wait_until_ready(
            port, lambda: supervisor.is_running("simulator")
        ):
            raise CommandError("The simulator did not start; see its lines.")

    def _check(self) -> None:
        """Stop at a wrong setting, and mention a doubtful one, each in its own sentence."""
        found = checks.run_checks()
        for message in found:
            say("check", " ".join(filter(None, [str(message.msg), message.hint])))
        if any(message.is_serious() for message in found):
            raise CommandError("Nothing was started: the settings above need a change first.")

    def _migrate(self) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}") from error

    def _announce(self, url: str, *, with_simulator: bool) -> None:
        if with_simulator:
            password = demo.ensure_sign_in(DATA_DIR)
            say("up", "No account is configured, so a simulated one is shown; set")
            say("up", "CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID to show yours.")
            say("up", f"Sign in as {demo.NAME} with the password {password}")
        else:
            demo.close_sign_in()
            if not demo.is_anyone_there():
                say("up", "Nobody can sign in yet: `manage.py createuser` makes the first user.")
        connections.close_all()
        say("up", f"The dashboard is at {url} (Ctrl-C stops it)")
