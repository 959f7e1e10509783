"""Both shapes as real processes: from start to a status change, and with a part taken away."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from dashboard import simulator
from tests.servers.dashboard import ROOT, Dashboard
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.servers.visitor import Visitor

pytestmark = pytest.mark.start

TOKEN = "simulator-token"
PASSWORD = "correct horse battery"


class Running:
    """A dashboard that watches a simulated account, and an operator who has signed in."""

    def __init__(self, dashboard: Dashboard, account: simulator.Server) -> None:
        self.dashboard, self.account = dashboard, account
        self.manage("createuser", "olga", "--role", "operator")
        self.visitor = Visitor(dashboard.url)
        self.visitor.sign_in("olga", PASSWORD)

    def manage(self, *arguments: str) -> str:
        """What a `manage.py` command prints in the dashboard's own environment."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env={**self.dashboard.env(), "PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout + done.stderr

    def add(self, state: str, instance_id: str) -> str:
        """Places an instance; returns the path of its page."""
        self.account.world.add_instance("orders", state, instance_id=instance_id)
        account = quote(self.account.account_id)
        return f"/accounts/{account}/workflows/orders/instances/{quote(instance_id, safe='')}"

    def pauses(self, instance_id: str) -> None:
        """An instance comes into the list, is paused on its page, and is seen to be paused."""
        path = self.add("waiting", instance_id)
        self.visitor.wait_for(f"/instances/?q=id:{instance_id}", path)
        self.visitor.press(self.visitor.get(path), "Pause")
        self.visitor.wait_for(path, "Paused.")
        assert self.account.world.status("orders", instance_id) == "paused"
        sent = [r for r in self.account.requests if r["method"] == "PATCH"]
        assert len([r for r in sent if instance_id in r["path"]]) == 1

    def no_process_has_ended(self) -> None:
        """Each goes on by itself: `up` had none to start again."""
        assert "it starts again in" not in self.dashboard.output()

    def shows_no_secret(self) -> None:
        """The token stands in no page, no line of any log, and nowhere in the database."""
        dump = self.manage("dumpdata", "--indent=1")
        assert "olga" in dump
        for text in (dump, self.dashboard.output(), *(page.text for page in self.visitor.pages)):
            assert TOKEN not in text
            assert "Traceback" not in text or text is dump
        for path in self.dashboard.data.rglob("*"):
            if path.is_file():
                assert TOKEN.encode() not in read(path), path


def read(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


@pytest.fixture
def account() -> Iterator[simulator.Server]:
    with simulator.serve("incident", rate_limit=0, instances=600) as server:
        yield server


def settings_of(account: simulator.Server, **more: str) -> dict[str, str]:
    return {
        "CLOUDFLARE_API_BASE_URL": account.url,
        "CLOUDFLARE_ACCOUNT_ID": account.account_id,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "PYTHONWARNINGS": "default",
        **more,
    }


@pytest.fixture
def embedded(tmp_path: Path, account: simulator.Server) -> Iterator[Running]:
    with Dashboard(tmp_path, **settings_of(account)) as dashboard:
        yield Running(dashboard, account)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    (tmp_path / "redis").mkdir()
    with Redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def production(
    tmp_path: Path, account: simulator.Server, postgres_server: Postgres, redis: Redis
) -> Iterator[Running]:
    """PostgreSQL, Redis, two web processes, two workers, one beat."""
    shape = settings_of(
        account,
        DATABASE_URL=postgres_server.new_database(),
        REDIS_URL=redis.url,
        WEB_WORKERS="2",
        CELERY_WORKERS="2",
    )
    (tmp_path / "dashboard").mkdir()
    with Dashboard(tmp_path / "dashboard", **shape) as dashboard:
        yield Running(dashboard, account)


def test_the_embedded_default_goes_from_start_to_a_status_change(embedded: Running) -> None:
    embedded.pauses("on-sqlite")
    embedded.shows_no_secret()


def test_the_production_shape_goes_from_start_to_a_status_change(production: Running) -> None:
    production.pauses("on-postgresql")
    production.shows_no_secret()


def test_without_cloudflare_the_copy_answers_with_its_age(embedded: Running) -> None:
    path = embedded.add("waiting-for-event", "kept")
    embedded.visitor.wait_for("/instances/?q=kept", path)
    embedded.visitor.wait_for(path, "wait for approval-1")

    embedded.account.stop()

    page = embedded.visitor.wait_for(path, "does not answer")
    assert "wait for approval-1" in page
    listed = embedded.visitor.wait_for("/instances/?q=kept", "does not answer")
    assert path in listed
    pressed = embedded.visitor.press(embedded.visitor.get(path), "Pause")
    assert pressed.status == 200
    assert "Nothing was sent." in pressed.text
    embedded.shows_no_secret()


def test_without_redis_pages_answer_and_work_goes_on_once_it_is_back(
    production: Running, redis: Redis
) -> None:
    path = production.add("waiting", "before")
    production.visitor.wait_for("/instances/?q=id:before", path)

    redis.stop()
    assert production.visitor.open("/instances/").status == 200
    production.visitor.press(production.visitor.get(path), "Pause")
    production.visitor.wait_for(path, "Paused.")
    redis.start()

    production.pauses("after")
    production.no_process_has_ended()
    production.shows_no_secret()


def test_without_postgresql_there_is_a_clear_page_and_work_goes_on_once_it_is_back(
    production: Running, postgres_server: Postgres
) -> None:
    path = production.add("waiting", "before")
    production.visitor.wait_for("/instances/?q=id:before", path)

    postgres_server.stop()
    try:
        for page in ("/", "/instances/", path, "/readyz"):
            answer = production.visitor.open(page)
            assert answer.status == 503
            assert "database" in answer.text
        assert Visitor(production.dashboard.url).open("/healthz").status == 200
    finally:
        postgres_server.start()

    production.visitor.wait_for("/instances/?q=id:before", path)
    production.pauses("after")
    production.no_process_has_ended()
    production.shows_no_secret()


def test_what_the_environment_of_the_tests_holds_is_not_passed_on() -> None:
    assert not {name for name in Dashboard(Path("unused")).env() if name.startswith("CLOUDFLARE")}
    assert "PATH" in os.environ
