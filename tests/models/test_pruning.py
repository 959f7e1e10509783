"""Only what ended long ago, is gone at Cloudflare and was not acted on is forgotten."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboard import tasks
from dashboard.models import Change, Instance, InstanceDetail, Item, Operation, User
from dashboard.models.pruning import PIECE, prune
from tests import rows
from tests.rows import THEN

KEEP = timedelta(days=7)
OLD = THEN - timedelta(days=8)

pytestmark = pytest.mark.django_db


def pruned(*, is_time_up: bool = False) -> int:
    return prune(keep=KEEP, now=THEN, is_time_up=lambda: is_time_up)


def old(instance_id: str, status: str = "complete", **facts: Any) -> Instance:
    known = {"created_on": OLD, "ended_on": OLD, "expired_at": THEN}
    return rows.instance(instance_id, status, **known | facts)


def test_what_ended_long_ago_and_expired_is_forgotten_with_all_that_was_known_of_it() -> None:
    gone = old("gone")
    InstanceDetail.objects.create(
        instance=gone, read_at=OLD, outputs_are_text=True, body=InstanceDetail.pack({})
    )
    Change.objects.create(instance=gone, kind="expired", noticed_at=OLD, generation=1)
    old("errored", "errored")

    assert pruned() == 2
    assert (Instance.objects.count(), Change.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        ("running", {}),
        ("new-word", {}),
        ("complete", {"ended_on": THEN}),
        ("complete", {"expired_at": None}),
    ],
    ids=["unfinished", "unknown status", "ended lately", "Cloudflare may still have it"],
)
def test_anything_else_is_kept(status: str, facts: dict[str, Any]) -> None:
    old("kept", status, **facts)

    assert pruned() == 0


def test_what_is_older_than_any_retention_need_not_be_known_as_expired() -> None:
    long_ago = THEN - timedelta(days=40)
    old("ancient", created_on=long_ago, ended_on=long_ago, expired_at=None)

    assert pruned() == 1


@pytest.mark.parametrize(("at", "kept"), [(THEN, 1), (OLD, 0)])
def test_what_somebody_acted_on_lately_is_kept(at: datetime, kept: int) -> None:
    instance = old("restarted")
    operation = Operation.objects.create(
        key=uuid.uuid4(),
        kind="restart",
        workflow=instance.workflow,
        requested_by=User.objects.create(username="olga"),
        requested_at=at,
    )
    Item.objects.create(
        operation=operation, workflow=operation.workflow, instance_id="restarted", state="done"
    )

    pruned()

    assert Instance.objects.count() == kept
    assert Item.objects.count() == 1


def test_it_goes_on_piece_by_piece_until_the_time_is_up() -> None:
    for number in range(PIECE + 10):
        old(str(number))

    assert pruned(is_time_up=True) == 0
    assert pruned() == PIECE + 10


@pytest.mark.parametrize(("days", "left"), [(0, 1), (7, 0)])
def test_the_task_forgets_only_if_it_is_told_to(settings: Any, days: int, left: int) -> None:
    settings.KEEP_DAYS = days
    old("gone")

    tasks.prune()

    assert Instance.objects.count() == left
