"""History: resumable at any page, never in the way of what is new, and whole after any kill."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from django.db import connections

from dashboard import sync
from dashboard.cloudflare import Client, Credentials
from dashboard.models import Account, Gap, Instance
from dashboard.simulator import server as simulator_server
from tests.fixtures import Watched
from tests.gates import Allowing

ROOT = Path(__file__).resolve().parent.parent.parent


def client_with(watched: Watched, requests: int) -> Client:
    credentials = Credentials(token=watched.server.token)
    gate = Allowing(requests)
    return Client(watched.server.account_id, credentials, base_url=watched.server.url, gate=gate)


def pages_asked(watched: Watched) -> Counter[str]:
    """How often each page of the whole list was asked for, by its cursor; "" is the newest."""
    queries = [
        parse_qs(entry["query"])
        for entry in watched.server.requests
        if entry["path"].endswith("/instances") and entry["status"] == 200
    ]
    return Counter(query.get("cursor", [""])[0] for query in queries if "status" not in query)


def test_a_back_fill_that_stops_at_every_page_asks_for_none_twice(watched: Watched) -> None:
    for number in range(2_450):
        watched.add("complete", age=10_000 - number)
    with client_with(watched, 3) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)
    assert Gap.objects.exists()

    for _ in range(60):
        if not Gap.objects.exists():
            break
        with client_with(watched, 1) as client:
            sync.back_fill(client, watched.account, clock=watched.clock)

    asked = pages_asked(watched)
    assert set(asked.values()) == {1}
    assert len(asked) == 25
    assert watched.copied() == watched.listed()


def test_a_forgotten_cursor_is_replaced_by_the_date(watched: Watched) -> None:
    for number in range(2_450):
        watched.add("complete", age=10_000 - number)
    with client_with(watched, 8) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)
    watched.advance(3_600)

    sync.back_fill(watched.client, watched.account, clock=watched.clock)

    assert not Gap.objects.exists()
    assert len(watched.copied()) == 2_450


def test_what_is_new_is_seen_while_history_is_not_there_yet(watched: Watched) -> None:
    for number in range(2_450):
        watched.add("complete", age=10_000 - number)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    assert Gap.objects.exists()
    watched.advance(10)
    new = watched.add("errored")

    sync.freshen(watched.client, watched.account, clock=watched.clock)

    assert watched.row(new).error_message
    assert Gap.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_kills_at_random_moments_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """A sync in a process of its own, killed with -9 again and again."""
    chance = random.Random(os.environ.get("PYTEST_SEED", "20"))
    with simulator_server.serve(
        "huge", instances=4_000, rate_limit=0, now=datetime.now(UTC)
    ) as server:
        database = connections["default"].settings_dict["NAME"]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "DATABASE_URL") if name in os.environ},
            "DATA_DIR": str(tmp_path),
            "CLOUDFLARE_API_BASE_URL": server.url,
            "CLOUDFLARE_ACCOUNT_ID": server.account_id,
            "CLOUDFLARE_API_TOKEN": server.token,
        }
        run = (
            "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'dashboard.settings';"
            "from django.conf import settings; settings.DATABASES['default']['NAME'] = sys.argv[1];"
            "django.setup(); from django.utils import timezone; from dashboard import sync;"
            "from dashboard.cloudflare import Client, Credentials;"
            "e = os.environ; c = Client(e['CLOUDFLARE_ACCOUNT_ID'],"
            " Credentials(token=e['CLOUDFLARE_API_TOKEN']), base_url=e['CLOUDFLARE_API_BASE_URL']);"
            "[a] = sync.ensure_accounts([(c.account_id, 'killed')]);"
            "print('begun', flush=True); sync.sync_account(c, a, clock=timezone.now)"
        )
        for _ in range(20):
            process = subprocess.Popen(
                [sys.executable, "-c", run, str(database)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
            )
            with process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(chance.uniform(0.05, 0.8))
                process.send_signal(signal.SIGKILL)
            server.world.advance(chance.uniform(0, 20))
        account = Account.objects.get()
        credentials = Credentials(token=server.token)
        with Client(server.account_id, credentials, base_url=server.url) as client:
            watched = Watched(server, client, account)
            account = watched.sync()
            assert account.sync_error == ""
            for name in server.world.workflows:
                assert watched.copied(name) == watched.listed(name)
        ids = Instance.objects.values_list("workflow", "instance_id")
        assert len(set(ids)) == len(ids)
