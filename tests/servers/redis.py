"""The private server of the embedded default, started as `manage.py up` starts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dashboard.supervisor import redis
from tests.servers.process import Server


class Redis(Server):
    """On a unix socket; `url` is what REDIS_URL wants. What it held is gone after a stop."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"

    def argv(self) -> Sequence[str]:
        return redis.arguments(self.socket)

    def is_ready(self) -> bool:
        return redis.answers(self.socket)
