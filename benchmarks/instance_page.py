"""The page of one instance of many steps: how soon its first byte comes, how large it is, and how
smooth it is to scroll and to unfold.

`python -m benchmarks.instance_page [--full]`. The time to the first byte, and to the last, is told
beside the floor: asking for the same answer and reading its JSON. Frames are what Chromium's own
trace says of its main thread.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.insight.details import at, attempt, running, step
from tests.servers.dashboard import Dashboard
from tests.servers.visitor import Visitor

ACCOUNT = "0123456789abcdef0123456789abcdef"
NAMES = ("process-item", "send mail", "charge card", "sync row", "resize image")
ROUNDS = 5


def instance(count: int) -> bytes:
    """The answer about an instance of so many steps: loops of five names, a third of its own."""
    steps = []
    for n in range(count):
        name = f"{NAMES[n % 5]}-{n // 5 + 1}" if n % 3 else f"step {n} of its own-1"
        tries = [attempt(n, n + 0.5)]
        if n % 50 == 0:
            tries = [attempt(n, n + 0.2, error="upstream returned 503"), attempt(n + 0.3, n + 0.5)]
        steps.append(step(name, *tries, output=json.dumps({"n": n, "text": "what a step gave"})))
    result = running(*steps, status="complete", end=at(count + 1))
    return json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()


@contextmanager
def api(counts: list[int]) -> Iterator[str]:
    """A Workflows API that knows one instance for each number of steps."""
    bodies = {f"/steps-{count}": instance(count) for count in counts}
    flow = {"success": True, "result": {"id": "w", "name": "orders"}}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            body = next((b for end, b in bodies.items() if path.endswith(end)), None)
            body = body or json.dumps(flow).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/client/v4"
    server.shutdown()


def first_byte(visitor: Visitor, address: str) -> tuple[float, float, bytes]:
    """Seconds to the first byte of an answer and to its last, and all of it."""
    began = time.perf_counter()
    with visitor._opener.open(address, timeout=60) as answer:
        start = answer.read(1)
        waited = time.perf_counter() - began
        whole = start + answer.read()
        return waited, time.perf_counter() - began, whole


def floor(url: str, count: int) -> float:
    """Seconds to ask for the answer and to read its JSON."""
    began = time.perf_counter()
    path = f"{url}/accounts/{ACCOUNT}/workflows/orders/instances/steps-{count}"
    with urllib.request.urlopen(path) as answer:  # noqa: S310 - our own, on the loopback
        json.loads(answer.read())
    return time.perf_counter() - began


def longest_frames(browser: Browser, page: Page, folder: Path) -> dict[str, float]:
    """The longest task of the main thread, in ms, while scrolling and while opening steps."""
    found = {}
    for name, act in {"scrolling": scroll, "folding": fold}.items():
        browser.start_tracing(page=page, path=folder / f"{name}.json", categories=["toplevel"])
        act(page)
        browser.stop_tracing()
        found[name] = longest_task(json.loads((folder / f"{name}.json").read_text()))
    return found


def scroll(page: Page) -> None:
    for _ in range(40):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(30)


def fold(page: Page) -> None:
    """Opens and folds the first steps by the keyboard: looking for them would be a task as well."""
    page.evaluate("document.querySelector('#steps details > summary').focus()")
    for _ in range(10):
        for key in ("Enter", "Enter", "Tab", "Tab"):
            page.keyboard.press(key)
            page.wait_for_timeout(100)


def longest_task(trace: dict[str, Any]) -> float:
    """The longest task of the thread that renders the page, in ms."""
    events = trace["traceEvents"]
    names = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    tasks = [
        event.get("dur", 0)
        for event in events
        if (event["pid"], event["tid"]) in names and event["name"].endswith("RunTask")
    ]
    return max(tasks, default=0) / 1000


def measure(dashboard: Dashboard, visitor: Visitor, url: str, count: int) -> tuple[str, str]:
    """The address of the page, and its figures as a row of a table."""
    path = f"/accounts/{ACCOUNT}/workflows/orders/instances/steps-{count}"
    address = dashboard.url + path
    waits, ends, floors, html = [], [], [], b""
    for _ in range(ROUNDS):
        time.sleep(2.5)  # A page younger than this is not asked of Cloudflare again.
        waited, ended, html = first_byte(visitor, address)
        waits.append(waited)
        ends.append(ended)
        floors.append(floor(url, count))
    size = len(gzip.compress(html, 6)) / 1000
    wait, end, least = (min(times) * 1000 for times in (waits, ends, floors))
    return address, f"{count:,} | {wait:.0f} ms | {end:.0f} ms | {least:.0f} ms | {size:.0f} kB"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instance_page", description=__doc__)
    parser.add_argument("--full", action="store_true", help="25,000 steps as well")
    options = parser.parse_args(arguments)
    counts = [10_000, 25_000] if options.full else [10_000]
    print("| Steps | First byte | Last | Floor | Gzipped | Longest task scrolling | folding |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        api(counts) as url,
        Dashboard(
            Path(folder),
            CLOUDFLARE_API_BASE_URL=url,
            CLOUDFLARE_ACCOUNT_ID=ACCOUNT,
            CLOUDFLARE_API_TOKEN="tok-0123456789",
        ) as dashboard,
        sync_playwright() as playwright,
    ):
        visitor = signed_in(dashboard)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": dashboard.url}
                for cookie in visitor.cookies
            ]
        )
        for count in counts:
            address, row = measure(dashboard, visitor, url, count)
            page.goto(address)
            page.wait_for_timeout(1000)
            frames = longest_frames(browser, page, Path(folder))
            print(f"| {row} | {frames['scrolling']:.0f} ms | {frames['folding']:.0f} ms |")
        browser.close()


def signed_in(dashboard: Dashboard) -> Visitor:
    """A visitor with a user of its own."""
    env = {**dashboard.env(), "PASSWORD": "correct horse battery", "PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", "createuser", "olga"]
    subprocess.run(command, env=env, check=True, capture_output=True)
    visitor = Visitor(dashboard.url)
    visitor.sign_in("olga", env["PASSWORD"])
    return visitor


if __name__ == "__main__":
    main(sys.argv[1:])
