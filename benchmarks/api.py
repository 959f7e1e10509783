"""A loopback API that answers at once: pages of 100 rows, rendered before anybody asks.

python -m benchmarks.api ROWS   prints its port, and serves until it is stopped
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import cast

PER_PAGE = 100
NEWEST = datetime(2026, 10, 1, tzinfo=UTC)
APART = timedelta(seconds=2.6)  # A million instances in 30 days.
STATUSES = [*["complete"] * 950, *["errored"] * 26, *["terminated"] * 5, *["running"] * 8]
STATUSES += [*["waiting"] * 6, *["queued"] * 5]
ENDED = {"complete", "errored", "terminated"}
TRIGGERS = [*["binding"] * 70, *["api"] * 15, *["cron"] * 9, *["event"] * 5, "unknown"]
CURSOR = re.compile(rb"[?&]cursor=(\d+)")
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"

Row = dict[str, str | None]


def rows(*, seed: int = 1) -> Iterator[Row]:
    """Rows without end as Cloudflare lists them, newest first; the same ones for the same seed."""
    chance = random.Random(seed)
    versions = [_id(chance) for _ in range(20)]
    for place in count():
        status = chance.choice(STATUSES)
        created = NEWEST - APART * (place + chance.random())
        started = created + timedelta(seconds=chance.random() * 3)
        ended = started + timedelta(seconds=chance.expovariate(1 / 60))
        is_started, is_ended = status != "queued", status in ENDED
        yield {
            "id": _id(chance),
            "created_on": _instant(created),
            "modified_on": _instant(ended if is_ended else started if is_started else created),
            "started_on": _instant(started) if is_started else None,
            "ended_on": _instant(ended) if is_ended else None,
            "status": status,
            "version_id": chance.choice(versions),
            "workflow_id": "5f3c6d1e-0000-4000-8000-000000000000",
            "trigger_source": chance.choice(TRIGGERS),
        }


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def pages(number: int) -> list[bytes]:
    """Every whole answer, the last one empty: its place in the list is the cursor before it."""
    listed = list(islice(rows(), number))
    starts = range(0, number, PER_PAGE)
    chunks = [listed[start : start + PER_PAGE] for start in starts]
    return [
        _answer(chunk, str(place) if place < len(chunks) else "")
        for place, chunk in enumerate([*chunks, []], start=1)
    ]


def _answer(chunk: list[Row], cursor: str) -> bytes:
    info = {"count": len(chunk), "per_page": PER_PAGE, "cursor": cursor}
    answer = {"success": True, "errors": [], "messages": [], "result": chunk, "result_info": info}
    body = json.dumps(answer, separators=(",", ":")).encode()
    return HEAD.format(len(body)).encode() + body


class Listing(asyncio.Protocol):
    """One kept-alive connection: any request is one for the page of its cursor."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *requests, self.heard = (self.heard + data).split(b"\r\n\r\n")
        for request in requests:
            found = CURSOR.search(request)
            self.transport.write(self.answers[int(found[1]) if found else 0])


async def serve(number: int) -> None:
    answers = pages(number)
    server = await asyncio.get_running_loop().create_server(
        lambda: Listing(answers), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(number: int) -> Iterator[str]:
    """Serves that many rows from a process of its own; gives the API's base URL."""
    argv = [sys.executable, "-m", "benchmarks.api", str(number)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("There is no pipe to read the port from.")
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/client/v4"
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
