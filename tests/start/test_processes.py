"""`manage.py up` as a real tree of processes: how it starts, stops, heals and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.supervisor import address
from tests.servers.dashboard import Dashboard
from tests.servers.process import DidNotStart
from tests.start.tree import pid_of, processes_of, wait_until_gone

pytestmark = pytest.mark.start


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One dashboard for the tests that leave it running."""
    with Dashboard(tmp_path_factory.mktemp("running")) as dashboard:
        yield dashboard


def test_it_starts_each_process_once(running: Dashboard) -> None:
    commands = list(processes_of(running.data).values())
    own = ("manage.py up", "manage.py simulate", "redis.sock")
    for word in (*own, " worker@", " backfill@", " beat "):
        assert len([command for command in commands if word in command]) == 1, commands
    # The server's own process and the one that answers.
    assert len([command for command in commands if "gunicorn" in command]) == 2, commands


def test_nothing_but_the_address_listens_beyond_this_machine(running: Dashboard) -> None:
    assert running.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("name", "word"), [("worker", " worker@"), ("backfill", " backfill@"), ("beat", " beat ")]
)
def test_a_killed_process_is_started_again(running: Dashboard, name: str, word: str) -> None:
    before = pid_of(running.data, word)
    os.kill(before, signal.SIGKILL)
    running.wait_for(f"{name} was ended by SIGKILL")
    deadline = time.monotonic() + 10
    while not any(word in command for command in processes_of(running.data).values()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert pid_of(running.data, word) != before


def test_nobody_is_refused_while_a_killed_web_server_starts_again(running: Dashboard) -> None:
    os.kill(pid_of(running.data, "gunicorn"), signal.SIGKILL)
    running.wait_for("web was ended by SIGKILL")
    with urllib.request.urlopen(f"{running.url}/healthz", timeout=20) as answer:
        assert answer.status == 200


def test_a_second_start_on_the_same_folder_is_refused(running: Dashboard, tmp_path: Path) -> None:
    second = Dashboard(tmp_path, DATA_DIR=str(running.data))
    with pytest.raises(DidNotStart, match="The dashboard already runs on"):
        second.start()


def test_a_taken_port_is_a_sentence_before_anything_starts(tmp_path: Path) -> None:
    with address.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        dashboard = Dashboard(tmp_path, PORT=str(port))
        with pytest.raises(DidNotStart, match=f"Port {port} on 127.0.0.1 is taken"):
            dashboard.start()
    assert dashboard.output().count("\n") == 1


def test_a_wrong_setting_is_a_sentence(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path, PORT="eighty")
    with pytest.raises(DidNotStart, match="PORT is 'eighty'"):
        dashboard.start()
    assert "Traceback" not in dashboard.output()


def test_a_token_without_an_account_starts_no_simulator(tmp_path: Path) -> None:
    dashboard = Dashboard(
        tmp_path, CLOUDFLARE_API_BASE_URL="http://127.0.0.1:9/cdn-cgi/local/explorer/api"
    )
    with dashboard:
        assert not any("simulate" in command for command in processes_of(tmp_path).values())
        assert "Nobody can sign in yet" in dashboard.output()


def test_ctrl_c_stops_everything_and_is_no_failure(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path)
    dashboard.start()
    assert dashboard.stop() == 0
    assert processes_of(dashboard.data) == {}
    assert "Stopped." in dashboard.output()
    assert "Traceback" not in dashboard.output()


def test_a_beat_has_loaded_everything_before_it_listens_to_signals() -> None:
    finishes = "import sys; from dashboard.celery import app; app.finalize(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", finishes], check=True, capture_output=True, text=True, timeout=60
    )
    assert "celery.app.amqp" in done.stdout.split()


def test_killing_the_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path)
    dashboard.start()
    dashboard.kill9()
    assert wait_until_gone(dashboard.data) == {}


def test_killing_whoever_called_it_leaves_nothing_behind(tmp_path: Path) -> None:
    class CalledByMake(Dashboard):
        def argv(self) -> list[str]:
            calls = "import subprocess, sys; subprocess.run(sys.argv[1:], check=False)"
            return [sys.executable, "-c", calls, *super().argv(), "--stop-with-parent"]

    dashboard = CalledByMake(tmp_path)
    dashboard.start()
    dashboard.kill9()
    assert wait_until_gone(dashboard.data) == {}


def test_a_killed_start_can_be_repeated_at_once(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path)
    dashboard.start()
    password = dashboard.sign_in
    dashboard.kill9()
    dashboard.log.unlink()
    with dashboard:
        assert dashboard.sign_in == password


def test_a_data_folder_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20)
    with Dashboard(tmp_path, DATA_DIR=str(deep / "data")):
        assert not (deep / "data" / "redis.sock").exists()
    assert wait_until_gone(deep) == {}


def test_make_passes_a_missing_interpreter_on_as_a_sentence(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "install-packages"
    done = subprocess.run(
        [script, tmp_path / "venv", tmp_path / "lock", tmp_path / "stamp"],
        env={"PATH": os.environ["PATH"], "PYTHON": "python-of-nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no python-of-nowhere on PATH" in done.stderr
