"""The scenario `incident`, told by its groups: each cause is one, and what is new is what broke."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.cloudflare import Client, Credentials
from dashboard.cloudflare.types import Status
from dashboard.models import ErrorGroup, Instance, recording
from dashboard.simulator import server as simulator_server
from dashboard.simulator.scenarios import DEPLOYED
from tests.fixtures import START
from tests.rows import workflow


@pytest.mark.django_db
def test_each_cause_of_the_incident_is_one_group_and_new_is_what_broke() -> None:
    with (
        simulator_server.serve("incident", now=START, rate_limit=0) as server,
        Client(server.account_id, Credentials(token=server.token), base_url=server.url) as client,
    ):
        server.world.advance(60)
        now = datetime.fromtimestamp(server.world.now / 1000, tz=UTC)
        for told in client.list_workflows():
            for page in client.list_instances(told.name, status=Status.ERRORED):
                for row in page.instances:
                    detail = client.get_instance(told.name, row.id)
                    recording.record_detail(workflow(told.name), row.id, detail, now=now)

    groups = ErrorGroup.objects.select_related("workflow")
    causes = [(one.workflow.name, one.step_name, one.error_name) for one in groups]
    assert len(causes) == len({*causes}) >= 8
    deployed = now - timedelta(milliseconds=DEPLOYED) - timedelta(minutes=1)
    new = {(one.workflow.name, one.error_name) for one in groups if one.first_seen_on > deployed}
    assert new == {
        ("order-pipeline", "PaymentProviderError"),
        ("refund-saga", "LedgerLockedError"),
    }
    assert sum(one.count for one in groups) == Instance.objects.count()
