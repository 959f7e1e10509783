"""A script steers what its user may act on, and nothing else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.models import ApiToken, Grant, Operation, User
from tests.rows import THEN, minutes
from tests.views.world import world

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("pattern", "status"), [("payments", 403), ("ledger", 200)])
def test_an_operation_is_steered_by_who_may_act_on_all_of_it(pattern: str, status: int) -> None:
    batch = world().batch
    user = User.objects.create(username="victor", role="viewer")
    Grant.objects.create(user=user, role="operator", pattern=pattern, granted_at=THEN)
    now = timezone.now()
    _, secret = ApiToken.objects.make(
        user=user, name="n", scope="operate", created_at=now, expires_at=now + minutes(60)
    )

    answer = Client(headers={"Authorization": f"Bearer {secret}"}).post(
        f"/api/v1/operations/{batch.pk}/steer", {"stage": "stopped"}, "application/json"
    )

    assert answer.status_code == status, answer.content
    assert Operation.objects.get(pk=batch.pk).stage == ("stopped" if status == 200 else "running")
