"""`manage.py simulate`: a Cloudflare account in memory, to try the dashboard without one."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard import simulator
from dashboard.simulator.scenarios import SCENARIOS

MOST = 1_000_000


class Command(BaseCommand):
    """Serve a simulated account until interrupted."""

    help = "Serve a simulated Cloudflare account with Workflows in it, until interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Every option has a default that makes a good demonstration."""
        parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="incident")
        parser.add_argument("--port", type=int, default=8788, help="0 takes a free one")
        parser.add_argument("--bind", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same account")
        parser.add_argument(
            "--instances", type=_instances, help=f"how many at the start, up to {MOST:,}"
        )
        parser.add_argument(
            "--rate-limit", type=int, default=1_200, help="requests per 5 minutes, 0 for none"
        )
        parser.add_argument("--shape", choices=("new", "old"), default="new", help="of answers")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print where it listens, then serve."""
        server = _build(options)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        server.start()
        self.stdout.write(
            f"base URL {server.url}  account {server.account_id}  token {server.token}"
        )
        self.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            server.stop()


def _build(options: dict[str, Any]) -> simulator.Server:
    try:
        return simulator.build(
            options["scenario"],
            seed=options["seed"],
            instances=options["instances"],
            rate_limit=options["rate_limit"],
            shape=options["shape"],
            host=options["bind"],
            port=options["port"],
        )
    except OSError as error:
        raise CommandError(f"cannot listen on port {options['port']}: {error.strerror}") from None


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _instances(text: str) -> int:
    count = int(text)
    if not 0 <= count <= MOST:
        raise ValueError(f"between 0 and {MOST}")
    return count
