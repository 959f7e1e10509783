"""What Prometheus is told is true, for all processes the same, and not told to everybody."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from dashboard import connection
from dashboard.broker import Broker, Kind, Process
from dashboard.cloudflare import Lane, Spender
from dashboard.models import Account, Tally
from tests.rows import account, instance, workflow
from tests.servers.redis import Redis

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboard.json"


@pytest.fixture(autouse=True)
def _is_configured(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, redis_server: Redis
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "secret-of-cloudflare")
    settings.BUDGET_REDIS_URL = redis_server.url
    connection.disconnect()


def told(reader: Client) -> dict[str, float]:
    """Each series as Prometheus reads it."""
    response = reader.get("/metrics")
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {
        f"{one.name}{sorted(one.labels.values())}": one.value
        for family in families
        for one in family.samples
    }


def test_counts_are_cloudflares_and_ends_are_those_that_were_seen(reader: Client) -> None:
    orders = workflow(counts={"errored": 7, "running": 2})
    Tally.objects.create(workflow=orders, status="errored", ended=12)
    instance("kept", "queued", of=workflow("uncounted"))
    workflow("gone", counts={"errored": 99}, gone_at=timezone.now())

    found = told(reader)

    assert found["workflows_instances['errored', 'name-of-acc1', 'orders']"] == 7
    assert found["workflows_instances['name-of-acc1', 'queued', 'uncounted']"] == 1
    assert found["workflows_instances_ended_total['errored', 'name-of-acc1', 'orders']"] == 12
    assert not any("gone" in name for name in found)


def test_the_age_of_the_sync_is_told(reader: Client) -> None:
    account()
    Account.objects.update(synced_at=timezone.now() - timedelta(minutes=3))

    assert 180 <= told(reader)["workflows_sync_age_seconds['name-of-acc1']"] < 240


def test_what_is_left_of_the_budget_and_who_spent_it_is_told(reader: Client) -> None:
    [(_, budget)] = connection.budgets()
    budget.spend(Lane.FRESHNESS, Spender.WORKER)

    found = told(reader)

    [left] = [value for name, value in found.items() if "budget_remaining" in name]
    [quota] = [value for name, value in found.items() if "budget_quota" in name]
    [fresh] = [
        value for name, value in found.items() if "budget_spent" in name and "freshness" in name
    ]
    assert (quota - left, fresh) == (1, 1)


def test_queues_and_processes_are_told(reader: Client, redis_server: Redis) -> None:
    broker = Broker(redis_server.url)
    broker.tell(Process(Kind.WORKER, "one", timezone.now(), ("fresh",)))
    broker.close()

    found = told(reader)

    assert found["workflows_redis_up[]"] == 1
    assert found["workflows_processes['worker']"] == 1
    assert found["workflows_processes['beat']"] == 0
    assert found["workflows_queue_tasks['fresh']"] == 0
    assert found["workflows_queue_oldest_seconds['backfill']"] == 0


def test_operations_are_told_by_state_also_where_there_are_none(reader: Client) -> None:
    assert told(reader)["workflows_operation_items['lost']"] == 0


def test_a_database_or_redis_that_is_away_is_told_and_the_rest_as_well(
    reader: Client, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("dashboard.views.exposition.rows_of", gone)
    redis_server.stop()

    found = told(reader)

    assert (found["workflows_database_up[]"], found["workflows_redis_up[]"]) == (0, 0)


@pytest.mark.django_db
def test_without_a_token_in_the_settings_only_who_is_signed_in_reads_it(client: Client) -> None:
    for header in ("", "Bearer ", "Bearer None", "Bearer guess"):
        response = client.get("/metrics", headers={"authorization": header})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert b"workflows_" not in response.content


@pytest.mark.django_db
def test_the_token_opens_it_and_no_other_does(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "open-sesame"

    assert client.get("/metrics").status_code == 401
    for header in ("Bearer guess", "open-sesame", "Basic open-sesame", "Bearer open-sesamé"):
        assert client.get("/metrics", headers={"authorization": header}).status_code == 401
    response = client.get("/metrics", headers={"authorization": "Bearer open-sesame"})
    assert response.status_code == 200
    assert b"open-sesame" not in response.content
    assert b"secret-of-cloudflare" not in response.content


def test_names_that_hold_markup_or_lines_are_one_label_each(reader: Client) -> None:
    workflow('a"b\\c', counts={"new\nword": 1})

    assert any("new\\nword" in name for name in told(reader))


def test_every_metric_of_the_grafana_dashboard_is_told(reader: Client) -> None:
    orders = workflow(counts={"errored": 7})
    Tally.objects.create(workflow=orders, status="errored", ended=12)
    Account.objects.update(synced_at=timezone.now())
    names = {name.partition("[")[0] for name in told(reader)}

    board = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [one["query"] for one in board["templating"]["list"]]
    wanted = {name for text in asked for name in re.findall(r"\bworkflows_\w+", text)}

    assert len(wanted) > 8
    assert wanted <= names
