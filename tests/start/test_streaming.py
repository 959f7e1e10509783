"""What a step streamed passes through the web server; it never holds it whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from dashboard.simulator.plan import Do, Plan, Stream, in_turn
from dashboard.simulator.server import Server
from tests.servers.dashboard import ROOT, Dashboard
from tests.servers.visitor import Visitor
from tests.start.tree import processes_of

pytestmark = pytest.mark.start

PASSWORD = "correct horse battery"
SMALL, HUGE = 2**20, 2**30
LIMIT_KB = 32 * 1024
PIECE = 2**20


def memory_kb(pid: int, what: str) -> int:
    """`VmRSS` is what the process holds now, `VmHWM` the most it held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0])


def download(visitor: Visitor, server: Server, name: str) -> int:
    """Reads the output of this step to its end, in pieces; how long it is."""
    query = {
        "account_id": server.account_id,
        "workflow_name": "exports",
        "instance_id": "one",
        "type": "step",
        "name": name,
        "download": "1",
    }
    address = f"{visitor.url}/step-output/?{urlencode(query)}"
    length = 0
    with visitor._opener.open(address, timeout=60) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        while piece := answer.read(PIECE):
            length += len(piece)
    return length


def test_a_gibibyte_passes_through_and_the_web_server_stays_as_small_as_it_was(
    tmp_path: Path, simulator: Server
) -> None:
    steps = in_turn(Do("small", 100, Stream(SMALL)), Do("huge", 100, Stream(HUGE)))
    simulator.world.add_instance("exports", "complete", instance_id="one", plan=Plan(steps))
    settings = {
        "CLOUDFLARE_API_BASE_URL": simulator.url,
        "CLOUDFLARE_ACCOUNT_ID": simulator.account_id,
        "CLOUDFLARE_API_TOKEN": simulator.token,
    }
    with Dashboard(tmp_path, **settings) as dashboard:
        make_user = [sys.executable, str(ROOT / "manage.py"), "createuser", "olga"]
        env = {**dashboard.env(), "PASSWORD": PASSWORD, "PATH": os.environ["PATH"]}
        subprocess.run(make_user, env=env, check=True, capture_output=True)
        visitor = Visitor(dashboard.url)
        visitor.sign_in("olga", PASSWORD)
        assert download(visitor, simulator, "small-1") == SMALL
        web = max(pid for pid, name in processes_of(dashboard.data).items() if "gunicorn" in name)
        before = memory_kb(web, "VmRSS")
        Path(f"/proc/{web}/clear_refs").write_text("5")  # The most is counted from here.

        length = download(visitor, simulator, "huge-1")

        assert length == HUGE
        assert memory_kb(web, "VmHWM") - before < LIMIT_KB
