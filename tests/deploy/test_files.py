"""The files of deploy/ say what `up` does: the same programs, with settings that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboard import connection, env
from dashboard.supervisor import programs
from tests.servers.dashboard import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
#: Of other programs, or of the shell that starts the containers.
NOT_OURS = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PATH"}


def commands() -> dict[str, list[str]]:
    """What `up` runs, without the interpreter, the address and the names that differ by place."""
    parts = programs.application(listener=3, web_workers=1, celery_workers=1)
    return {part.name: _bare(list(part.argv[1:])) for part in parts}


def _bare(argv: list[str]) -> list[str]:
    told = iter(argv)
    kept = []
    for word in told:
        if word in {"-W", "--hostname", "--bind", "--workers"}:
            next(told)
        elif not word.endswith(("python", "python3")) and word not in {"-m", "--pidfile="}:
            kept.append(word)
    return sorted(kept)


@pytest.mark.parametrize("name", ["web", "worker", "backfill", "beat"])
def test_a_container_runs_what_up_runs(name: str) -> None:
    assert _bare(COMPOSE["services"][name]["command"]) == commands()[name]


@pytest.mark.parametrize("name", ["web", "worker", "backfill", "beat"])
def test_a_unit_runs_what_up_runs(name: str) -> None:
    [unit] = [path for path in UNITS if re.fullmatch(rf"\S+-{name}@?\.service", path.name)]
    [command] = re.findall(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)

    assert _bare(shlex.split(command)) == commands()[name]


def test_each_queue_has_a_worker_and_there_is_one_beat() -> None:
    assert set(commands()) == {"web", "worker", "backfill", "beat"}
    assert "deploy" not in COMPOSE["services"]["beat"]


def _settings() -> list[tuple[str, str]]:
    """Each variable that one of the files sets, and the file."""
    found = [("compose.yaml", name) for name in COMPOSE["services"]["web"]["environment"]]
    image = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    for line in re.findall(r"^ENV (.+)$", image, re.MULTILINE):
        found += [("Dockerfile", word.partition("=")[0]) for word in line.split()]
    for unit in UNITS:
        for line in re.findall(r"^Environment=(.+)$", unit.read_text(), re.MULTILINE):
            found += [(unit.name, word.partition("=")[0]) for word in line.split()]
    return found


@pytest.mark.parametrize(("file", "name"), sorted(set(_settings())))
def test_each_setting_of_a_file_is_one_that_is_read(file: str, name: str) -> None:
    connection.read_accounts()
    assert name.removesuffix("_FILE") in env.VARIABLES or name in NOT_OURS


def test_the_units_are_what_systemd_reads() -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, UNITS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Here is no /opt/workflows-dashboard, which is the one thing it may miss.
    told = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert told == []


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    named = {line.removeprefix("!") for line in kept if line.startswith("!")}

    assert "*" in kept
    assert {"manage.py", "dashboard", "templates", "static", "requirements*.txt"} <= named
    assert not named & {"tests", "benchmarks", ".data", "deploy", ".git"}


def test_no_secret_of_compose_stands_in_a_variable() -> None:
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("TOKEN|KEY|PASSWORD|DATABASE_URL", name):
                assert name.endswith("_FILE"), name
                assert str(value).startswith("/run/secrets/")
    assert all(Path(one["file"]).parent == Path("secrets") for one in COMPOSE["secrets"].values())
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text()
