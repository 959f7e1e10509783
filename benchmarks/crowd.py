"""python -m benchmarks.crowd [--full] [--only KIND] [--seconds N]: many people while a sync runs.

The dashboard as `manage.py up` starts it (web server, workers, beat, Redis) copies an account of
100,000 instances from a simulator with Cloudflare's own limit, while each viewer, signed in by
itself, asks for the list every five seconds. Printed are the answers, how long they took, and what
each process held: at the start, in the middle, at the end, and how fast it grew in the second half.
`--full` is ten minutes.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from benchmarks.databases import databases, filled, kind, named
from benchmarks.polling import EVERY, Viewer, poll_address
from tests.servers.dashboard import ROOT, Dashboard
from tests.start.tree import processes_of

INSTANCES = 100_000
#: What a process is called, by a word of its command line.
CALLED = {
    "gunicorn": "web",
    "--queues fresh": "worker",
    "--queues backfill": "worker of the back-fill",
    " beat": "beat",
    "valkey": "Redis",
    "redis": "Redis",
}
SAMPLE_EVERY = 2.0


class Patient(Viewer):
    """A viewer that counts a broken connection as an error, and goes on with another."""

    def run(self) -> None:
        while time.monotonic() < self.ends_at:
            try:
                super().run()
            except (OSError, HTTPException):
                self.answers[0] += 1
                self.begins_at = time.monotonic() + EVERY
            else:
                return


class Crowded(Dashboard):
    """With the environment of the database that it is measured on."""

    def __init__(self, env: Mapping[str, str], **settings: str) -> None:
        folder = Path(env["DATA_DIR"])
        super().__init__(folder, **settings)
        self.data = folder


@contextmanager
def simulated() -> Iterator[dict[str, str]]:
    """An account in a process of its own, as the environment names it."""
    command = [sys.executable, "manage.py", "simulate", "--scenario", "busy", "--port", "0"]
    command += ["--instances", str(INSTANCES)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.match(r"base URL (\S+)  account (\S+)  token (\S+)", line)
            if found is None:
                raise RuntimeError(f"The simulator did not start: {line}")
            names = ("API_BASE_URL", "ACCOUNT_ID", "API_TOKEN")
            yield {f"CLOUDFLARE_{name}": found[place] for place, name in enumerate(names, 1)}
        finally:
            process.terminate()


def memory(folder: Path) -> dict[str, float]:
    """What each process of this start holds now, in MB; several of one kind are numbered."""
    held: dict[str, float] = {}
    for pid, command in sorted(processes_of(folder).items()):
        name = next((name for word, name in CALLED.items() if word in command), "")
        status = Path(f"/proc/{pid}/status")
        if name and (found := re.search(r"VmRSS:\s+(\d+)", status.read_text())):
            while name in held:
                name += "'"
            held[name] = int(found[1]) / 1024
    return held


def measured(env: Mapping[str, str], viewers: int, seconds: float) -> Iterator[str]:
    """The lines for one database."""
    with simulated() as account:
        # Without an account there would be a demo, with a database of its own.
        env = {**env, **account}
        sessions = filled(env, 0, viewers)
        database = {"DATABASE_URL": env["DATABASE_URL"]} if "DATABASE_URL" in env else {}
        with Crowded(env, **account, **database) as dashboard:
            address = _address(dashboard, sessions[0])
            crowd = [Patient(address, session) for session in sessions]
            samples = _watch(crowd, dashboard, seconds)
            rows, log = _rows(env), dashboard.tail()
    took = sorted(milliseconds for viewer in crowd for milliseconds in viewer.took)
    answers: Counter[int] = sum((viewer.answers for viewer in crowd), Counter())
    errors = {status: number for status, number in answers.items() if status not in {200, 304}}
    yield (
        f"{kind(env)}: {len(crowd)} viewers, {seconds:.0f} s, {rows:,} rows copied: "
        f"{answers.total():,} answers, {sum(errors.values())} errors {errors or ''}, "
        f"p50 {statistics.median(took):.1f} ms, p99 {took[len(took) * 99 // 100]:.1f} ms"
    )
    if errors:
        yield log
    yield "| Process | MB at the start | in the middle | at the end | MB per hour |"
    yield "| --- | --- | --- | --- | --- |"
    for name in samples[-1][1]:
        yield f"| {name} | {_course(name, samples)} |"


def _address(dashboard: Dashboard, session: str) -> str:
    """What the page that is open asks for, once the first rows are there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            return poll_address(dashboard.url, session)
        except RuntimeError:
            time.sleep(1)
    raise RuntimeError(f"No row was ever shown:\n{dashboard.tail()}")


def _watch(
    crowd: list[Patient], dashboard: Dashboard, seconds: float
) -> list[tuple[float, dict[str, float]]]:
    """Lets the crowd in; (seconds, what each process held then) until it leaves."""
    begins_at = time.monotonic() + 2
    for place, viewer in enumerate(crowd):
        viewer.begins_at = begins_at + EVERY * place / len(crowd)
        viewer.ends_at = begins_at + seconds
        viewer.start()
    samples = []
    while (now := time.monotonic()) < begins_at + seconds:
        samples.append((now, memory(dashboard.data)))
        time.sleep(SAMPLE_EVERY)
    for viewer in crowd:
        viewer.join()
    return samples


def _course(name: str, samples: list[tuple[float, dict[str, float]]]) -> str:
    """The cells of one process: what it held, and how fast that grew in the second half."""
    seen = [(moment, held[name]) for moment, held in samples if name in held]
    later = seen[len(seen) // 2 :]
    slope = 0.0
    if len(later) > 1:
        slope = statistics.linear_regression(*zip(*later, strict=True)).slope * 3600
    sizes = [held for _, held in seen]
    return f"{sizes[0]:.1f} | {sizes[len(sizes) // 2]:.1f} | {sizes[-1]:.1f} | {slope:+.1f}"


def _rows(env: Mapping[str, str]) -> int:
    code = "from dashboard.models import Instance; print(Instance.objects.count())"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(env), check=True, capture_output=True, text=True
    )
    return int(done.stdout.split()[-1])


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--full", action="store_true", help="ten minutes on each database")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one of the databases")
    options = parser.parse_args(arguments)
    seconds = 600 if options.full else options.seconds
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        databases(Path(folder)) as environments,
    ):
        for env in environments:
            if options.only in {None, kind(env)}:
                for line in measured(named(env, "crowded"), options.viewers, seconds):
                    print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
