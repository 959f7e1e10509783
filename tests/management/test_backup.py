"""What `backup` writes, `restore` puts back: while the dashboard runs, and on another machine."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from dashboard.supervisor import lock
from tests.servers.dashboard import ROOT
from tests.servers.postgres import Postgres, programs

FILL = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from dashboard.models import User
from tests import rows
User.objects.create_user("ana", password="x", role="admin")
for number in range(300):
    rows.instance(f"kept-{number}")
"""
COUNT = "SELECT (SELECT count(*) FROM dashboard_instance), (SELECT count(*) FROM dashboard_user)"


class House:
    """A dashboard's folder and settings, and commands run in processes of their own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "CLOUDFLARE_ACCOUNT_ID": "acc1",
            "CLOUDFLARE_API_TOKEN": "a-token",
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            **settings,
        }

    def run(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr if fails else done.stdout

    def manage(self, *arguments: str, fails: bool = False) -> str:
        return self.run("manage.py", *arguments, fails=fails)

    def holds(self, file: str = "dashboard.sqlite3") -> tuple[int, int]:
        """How many instances and how many people."""
        with closing(sqlite3.connect(self.data / file)) as database:
            instances, people = database.execute(COUNT).fetchone()
            return instances, people

    def loses_somebody(self) -> None:
        with closing(sqlite3.connect(self.data / "dashboard.sqlite3")) as database:
            database.execute("DELETE FROM dashboard_user")
            database.commit()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "data"
    House(folder).run("-c", FILL)
    return folder


@pytest.fixture
def house(filled: Path, tmp_path: Path) -> House:
    return House(shutil.copytree(filled, tmp_path / "one"))


def test_a_backup_of_a_running_dashboard_is_put_back_elsewhere(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "kept.tar.gz"
    with lock.hold(house.data):  # As `up` does.
        house.manage("backup", str(file))
    other = House(tmp_path / "two")
    other.data.mkdir()

    other.manage("restore", str(file))

    assert other.holds() == (300, 1)
    assert (other.data / "secret_key").read_text() == (house.data / "secret_key").read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_what_stood_there_is_kept_beside(house: House, tmp_path: Path) -> None:
    file = tmp_path / "kept.tar.gz"
    house.manage("backup", str(file))
    house.loses_somebody()

    house.manage("restore", str(file))

    assert house.holds() == (300, 1)
    assert house.holds("dashboard.sqlite3.before") == (300, 0)


def test_nothing_is_put_back_under_a_running_dashboard(house: House, tmp_path: Path) -> None:
    file = tmp_path / "kept.tar.gz"
    house.manage("backup", str(file))

    with lock.hold(house.data):
        told = house.manage("restore", str(file), fails=True)

    assert "already runs" in told


def test_a_backup_never_overwrites_a_file(house: House, tmp_path: Path) -> None:
    file = tmp_path / "kept.tar.gz"
    file.write_text("something else")

    assert "exists; choose another name" in house.manage("backup", str(file), fails=True)
    assert file.read_text() == "something else"


@pytest.mark.parametrize("content", ["empty", "no-archive", "other-archive", "cut"])
def test_what_is_no_backup_is_refused_and_what_stands_there_stays(
    house: House, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "kept.tar.gz"
    if content == "cut":
        house.manage("backup", str(file))
        file.write_bytes(file.read_bytes()[:20_000])
    elif content == "other-archive":
        with tarfile.open(file, "w:gz") as archive:
            archive.add(ROOT / "manage.py", "manage.py")
    else:
        file.write_text("" if content == "empty" else "no archive at all")

    assert "is no backup of this dashboard" in house.manage("restore", str(file), fails=True)
    assert house.holds() == (300, 1)


@pytest.mark.postgres
def test_postgresql_is_copied_by_its_own_tools(postgres_server: Postgres, tmp_path: Path) -> None:
    house = House(tmp_path, DATABASE_URL=postgres_server.new_database(), SECRET_KEY="k" * 50)
    house.run("-c", FILL)
    assert "pg_dump" in house.manage("backup", str(tmp_path / "file"), fails=True)
    assert "pg_restore" in house.manage("restore", str(tmp_path / "file"), fails=True)
    dump = tmp_path / "dashboard.dump"
    other = House(tmp_path, DATABASE_URL=postgres_server.new_database(), SECRET_KEY="k" * 50)

    for tool, *arguments in (
        ("pg_dump", "--format=custom", f"--file={dump}", house.env["DATABASE_URL"]),
        ("pg_restore", "--no-owner", f"--dbname={other.env['DATABASE_URL']}", str(dump)),
    ):
        subprocess.run([str(programs() / tool), *arguments], check=True, timeout=120)

    with psycopg.connect(other.env["DATABASE_URL"]) as database:
        assert database.execute(COUNT).fetchone() == (300, 1)
    assert "No planned migration operations" in other.manage("migrate", "--plan")
