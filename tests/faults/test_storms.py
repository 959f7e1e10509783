"""Random sequences of faults: whatever comes together, no row is lost and no action doubled."""

from __future__ import annotations

import os

import pytest
from django.db import connection, transaction

from dashboard import simulator
from dashboard.cloudflare import Client, Credentials
from dashboard.models import User
from tests.faults.storm import Deadly, Storm, statements_pass
from tests.fixtures import START

#: So many here, always the same; a thousand others by `python -m benchmarks storms --full`. On
#: PostgreSQL fewer: what each leaves behind in the transaction of the test makes the next one
#: slower.
STORMS = {"sqlite": 50, "postgresql": 10}


def test_after_any_storm_no_row_is_lost_and_no_action_doubled(
    db: None, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = int(os.environ.get("SEED", "1"))
    storms = int(os.environ.get("STORMS", "") or STORMS[connection.vendor])
    print(f"{storms} storms from seed {seed} on")
    bad = {}
    for number in range(seed, seed + storms):
        storm, wrongs = raged(number, operator, monkeypatch)
        if wrongs:
            bad[number] = [*wrongs, *storm.told]
            print(number, wrongs, flush=True)
    assert bad == {}


def raged(seed: int, operator: User, monkeypatch: pytest.MonkeyPatch) -> tuple[Storm, list[str]]:
    """One storm, and what was wrong at its end; the database is afterwards as it was."""
    gate = Deadly()
    with (
        transaction.atomic(),
        simulator.serve("empty", now=START, rate_limit=0) as server,
        Client(
            server.account_id, Credentials(token=server.token), base_url=server.url, gate=gate
        ) as client,
    ):
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", server.url)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", server.account_id)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", server.token)
        storm = Storm(seed, server, client, gate, operator)
        with statements_pass(gate):
            storm.rage()
        wrongs = list(storm.wrongs())
        transaction.set_rollback(True)
    return storm, wrongs
