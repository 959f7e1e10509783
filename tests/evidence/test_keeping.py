"""Before Cloudflare forgets what an instance did, it is kept here, whole, once."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import uuid
from contextlib import nullcontext
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection

from dashboard import evidence, operations, sync
from dashboard.cloudflare import Action, StepOutput, parsing
from dashboard.cloudflare.errors import BudgetSpent, Failed
from dashboard.evidence import expiring, outputs
from dashboard.models import (
    Change,
    Instance,
    InstanceDetail,
    Item,
    Snapshot,
    User,
    Version,
    Why,
    Workflow,
    access_of,
)
from dashboard.models.conditions import CONDITIONS
from dashboard.models.kept_answer import KeptAnswer, Part
from dashboard.models.operation import Kind, State
from dashboard.models.snapshot import SnapshotQuerySet, latest_by_generation, prune_snapshots
from dashboard.operations import Wanted
from tests.fixtures import Watched
from tests.operations.many import add, begin, patched, work


def restart(watched: Watched, instance_id: str, user: User, **arguments: Any) -> Item:
    want = Wanted(
        kind=Kind.RESTART, user=user, key=uuid.uuid4(), reason="03:00", arguments=arguments
    )
    operation = operations.perform(
        watched.client, watched.workflow(), instance_id, want, clock=watched.clock
    )
    return operation.items.get()


def read(watched: Watched, instance_id: str) -> None:
    sync.read_instance(watched.client, watched.workflow(), instance_id, now=watched.clock())


def kept_of(instance_id: str) -> list[Snapshot]:
    return list(Snapshot.objects.filter(instance_id=instance_id).order_by("taken_at", "pk"))


def test_an_instance_is_kept_when_it_is_first_seen_errored_and_only_once(
    watched: Watched,
) -> None:
    id_ = watched.add("errored")
    asked = len(watched.server.requests)

    watched.sync()
    after_first = [entry["path"] for entry in watched.server.requests[asked:]]
    read(watched, id_)

    [snapshot] = kept_of(id_)
    told = watched.client.get_instance("orders", id_)
    assert (snapshot.why, snapshot.generation, snapshot.status) == (Why.ERRORED, 1, "errored")
    assert snapshot.kept.answer == told.raw
    assert snapshot.error_message == (told.error and told.error.message)
    assert not any(path.endswith("/step") for path in after_first)


def test_one_that_is_well_is_not_kept(watched: Watched) -> None:
    id_ = watched.add("complete")
    watched.sync()

    read(watched, id_)

    assert kept_of(id_) == []


def test_a_restart_keeps_the_generation_that_it_erases(watched: Watched, operator: User) -> None:
    id_ = watched.add("running")
    watched.sync()
    before = watched.client.get_instance("orders", id_)

    item = restart(watched, id_, operator)

    [snapshot] = kept_of(id_)
    assert item.state in {State.ACCEPTED, State.DONE}
    assert (snapshot.why, snapshot.generation) == (Why.RESTART, 1)
    assert snapshot.kept.answer["steps"] == before.raw["steps"]
    assert watched.row(id_).generation == 2


def test_a_restart_by_others_keeps_what_was_last_read(watched: Watched) -> None:
    id_ = watched.add("complete")
    watched.sync()
    read(watched, id_)
    before = watched.client.get_instance("orders", id_)
    watched.advance(10)
    watched.client.change_instance_status("orders", id_, Action.RESTART)
    watched.advance(10)
    watched.sync()
    read(watched, id_)

    [snapshot] = kept_of(id_)
    assert (snapshot.why, snapshot.generation) == (Why.OVERWRITTEN, 1)
    assert len(snapshot.kept.detail.steps) == len(before.steps)


def test_what_cannot_be_kept_holds_a_restart_until_it_is_wanted_all_the_same(
    watched: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = watched.add("errored")
    watched.sync()

    def full(*_: object, **__: object) -> Snapshot:
        raise DatabaseError("disk full")

    monkeypatch.setattr(type(Snapshot.objects.all()), "keep", full)
    monkeypatch.setattr(type(Snapshot.objects), "keep", full)

    with pytest.raises(evidence.NotKept, match="database did not take it"):
        restart(watched, id_, operator)
    item = Item.objects.get()
    assert item.state == State.FAILED
    assert "Nothing was sent" in item.note
    assert watched.sent() == []

    item = restart(watched, id_, operator, without_evidence=True)
    assert len(watched.sent()) == 1
    assert item.operation.in_words == "Restart without its evidence"


def test_the_document_has_the_digest_that_is_shown(watched: Watched) -> None:
    id_ = watched.add("errored")
    watched.sync()

    [snapshot] = kept_of(id_)

    assert hashlib.sha256(snapshot.document).hexdigest() == snapshot.digest
    assert len(snapshot.document) == snapshot.size


class StepsApi:
    """One route of a client: outputs by the name of their step, or why there is none."""

    def __init__(self, client: Any, told: dict[str, Any]) -> None:
        self.target = client.target
        self.told = told
        self.asked: list[str] = []

    def get_step(
        self, _workflow: str, _id: str, *, name: str, type: object, attempt: int | None
    ) -> Any:
        asked = f"{name}#{attempt}" if attempt else name
        self.asked.append(asked)
        found = self.told[asked]
        if isinstance(found, Exception):
            raise found
        return nullcontext(found if isinstance(found, StepOutput) else StepOutput(output=found))


def cut(*names: str) -> Any:
    steps = [
        {"type": "step", "name": name, "success": True, "output": '"abc[truncated output]'}
        for name in names
    ]
    return parsing.instance_detail({"status": "errored", "steps": steps}, outputs_are_text=True)


def test_outputs_that_were_cut_are_read_whole_up_to_a_limit(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "OUTPUT_LIMIT", 1000)
    api = StepsApi(watched.client, {"a-1": {"rows": [1, 2]}, "b-1": "x" * 2000})

    found = outputs.read_outputs(api, "orders", "one", cut("a-1", "b-1"))  # type: ignore[arg-type]

    assert found.whole == {"0": {"value": {"rows": [1, 2]}}}
    assert "larger than the 1 kB" in found.missing["1"]
    assert found.failure is None
    kept = KeptAnswer(cut("a-1", "b-1").raw, True, found.whole, found.missing)
    assert kept.detail.steps[0].output == {"rows": [1, 2]}
    assert [step.is_output_truncated for step in kept.detail.steps] == [False, True]


def test_outputs_of_attempts_that_only_their_own_route_tells_are_read_too(
    watched: Watched,
) -> None:
    tries = [{"success": True}, {"success": False, "error": {"name": "E", "message": "no"}}]
    step = {"type": "step", "name": "a-1", "success": True, "output": "3"}
    log = {"status": "complete", "steps": [step | {"attempts": [*tries, {"success": True}]}]}
    detail = parsing.instance_detail(log, outputs_are_text=True)
    api = StepsApi(watched.client, {"a-1#1": {"rows": [1]}})

    found = outputs.read_outputs(api, "orders", "one", detail)  # type: ignore[arg-type]

    assert found.whole == {"0.1": {"value": {"rows": [1]}}}
    kept = KeptAnswer(detail.raw, True, found.whole, {"0.1": "why"})
    [told] = kept.detail.steps
    assert told.output == 3
    given = [kept.value_of(kept.part(told, number)) for number in (None, 1, 2, 3)]
    assert given == [3, {"rows": [1]}, None, 3]
    assert kept.parts_missing == [(Part(told, 1), "why")]


def test_a_spent_budget_stops_the_reading_and_says_so(watched: Watched) -> None:
    api = StepsApi(watched.client, {"a-1": BudgetSpent("Nothing is left.")})

    found = outputs.read_outputs(api, "orders", "one", cut("a-1", "b-1"))  # type: ignore[arg-type]

    assert api.asked == ["a-1"]
    assert set(found.missing) == {"0", "1"}
    assert isinstance(found.failure, BudgetSpent)


def version(watched: Watched, instance_id: str, **retention: str) -> None:
    row = watched.row(instance_id)
    Version.objects.update_or_create(
        workflow=row.workflow,
        version_id=row.version_id,
        defaults={"synced_at": watched.clock(), **retention},
    )


def test_what_cloudflare_deletes_within_hours_is_kept_and_the_rest_is_not_asked_for(
    watched: Watched,
) -> None:
    id_ = watched.add("complete")
    watched.sync()
    version(watched, id_, success_retention="7 days", error_retention="7 days")

    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 0
    watched.advance(timedelta(days=6, hours=20).total_seconds())
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 1
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 0

    [snapshot] = kept_of(id_)
    assert snapshot.why == Why.EXPIRING


@pytest.mark.parametrize(("success", "error"), [("2 days", "7 days"), ("7 days", "2 days")])
def test_a_terminated_one_is_kept_before_the_first_of_both_retentions(
    watched: Watched, success: str, error: str
) -> None:
    id_ = watched.add("terminated")
    watched.sync()
    version(watched, id_, success_retention=success, error_retention=error)

    watched.advance(timedelta(days=1, hours=12).total_seconds())
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 0
    watched.advance(timedelta(hours=8).total_seconds())
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 1
    watched.advance(timedelta(days=5).total_seconds())
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 0

    [snapshot] = kept_of(id_)
    assert (snapshot.why, snapshot.status) == (Why.EXPIRING, "terminated")


def test_a_terminated_one_that_was_missed_is_kept_before_the_second(watched: Watched) -> None:
    id_ = watched.add("terminated")
    watched.sync()
    version(watched, id_, success_retention="2 days", error_retention="7 days")

    watched.advance(timedelta(days=6, hours=20).total_seconds())

    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_where_no_version_tells_a_retention_the_shortest_that_cloudflare_has_counts(
    watched: Watched, is_known: bool
) -> None:
    ids = [watched.add(status) for status in ("complete", "terminated")]
    watched.sync()
    Version.objects.all().delete()
    if is_known:
        version(watched, ids[0])

    watched.advance(timedelta(days=2, hours=12).total_seconds())
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 0
    watched.advance(timedelta(hours=8).total_seconds())
    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 2

    assert {snapshot.instance_id for snapshot in Snapshot.objects.all()} == set(ids)


def test_one_that_was_read_as_it_ended_is_kept_without_asking_again(watched: Watched) -> None:
    id_ = watched.add("complete")
    watched.sync()
    read(watched, id_)
    version(watched, id_, success_retention="7 days")
    watched.advance(timedelta(days=6, hours=20).total_seconds())
    asked = len(watched.server.requests)

    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 1

    assert len(watched.server.requests) == asked
    assert len(kept_of(id_)) == 1


def test_one_that_was_restarted_unseen_is_not_kept_with_outputs_of_its_new_start(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = watched.add("complete")
    watched.sync()
    read(watched, id_)
    version(watched, id_, success_retention="7 days")
    watched.advance(timedelta(days=6, hours=20).total_seconds())
    watched.client.change_instance_status("orders", id_, Action.RESTART)
    monkeypatch.setattr(expiring, "not_in_log", lambda detail: [Part(detail.steps[0])])

    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 0

    [snapshot] = kept_of(id_)
    assert (snapshot.why, snapshot.generation, snapshot.kept.outputs) == (Why.OVERWRITTEN, 1, {})


def test_unpinned_snapshots_age_out_and_pinned_ones_stay(watched: Watched, viewer: User) -> None:
    first, second = watched.add("errored"), watched.add("errored")
    watched.sync()
    Snapshot.objects.filter(instance_id=first).update(pinned_at=watched.clock(), pinned_by=viewer)
    later = watched.clock() + timedelta(days=1)

    assert prune_snapshots(before=watched.clock(), is_time_up=lambda: False) == 0
    assert prune_snapshots(before=later, is_time_up=lambda: False) == 1

    assert [snapshot.instance_id for snapshot in Snapshot.objects.all()] == [first]
    assert kept_of(second) == []


def test_a_snapshot_outlives_the_row_of_its_instance(watched: Watched) -> None:
    id_ = watched.add("errored")
    watched.sync()

    watched.row(id_).delete()

    [snapshot] = kept_of(id_)
    assert snapshot.kept.detail.status == "errored"
    assert latest_by_generation([snapshot]) == [snapshot]
    assert evidence.find(str(snapshot.pk), access_of(User(role="viewer"))).generation == 1


def test_only_the_last_of_many_cut_outputs_are_asked_for(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "MOST", 2)
    api = StepsApi(watched.client, {"b-1": 1, "c-1": 2})

    found = outputs.read_outputs(api, "orders", "one", cut("a-1", "b-1", "c-1"))  # type: ignore[arg-type]

    assert api.asked == ["b-1", "c-1"]
    assert found.missing == {"0": "Only the last 2 such outputs are asked for."}
    assert found.failure is None


def test_each_version_has_its_own_retention_however_many_there_are(watched: Watched) -> None:
    soon, later = watched.add("errored"), watched.add("errored", workflow="mails")
    watched.sync()
    Snapshot.objects.all().delete()
    for workflow in Workflow.objects.all():
        Version.objects.bulk_create(
            Version(
                workflow=workflow,
                version_id=f"{workflow.pk}-{number}",
                synced_at=watched.clock(),
                error_retention=f"{number} days",
                success_retention="7 days",
            )
            for number in range(1, 300)
        )
    version(watched, soon, error_retention="3 days")
    version(watched, later, error_retention="30 days")
    watched.advance(timedelta(days=2, hours=20).total_seconds())

    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 1

    assert [snapshot.instance_id for snapshot in Snapshot.objects.all()] == [soon]


def test_one_that_cannot_be_read_holds_up_no_other(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [watched.add("complete") for _ in range(3)]
    watched.sync()
    for id_ in ids:
        version(watched, id_, success_retention="7 days")
    watched.advance(timedelta(days=6, hours=20).total_seconds())
    read_one = watched.client.get_instance

    def failing(workflow: str, instance_id: str) -> Any:
        if instance_id == ids[0]:
            raise Failed("An internal error.", http_status=500)
        return read_one(workflow, instance_id)

    monkeypatch.setattr(watched.client, "get_instance", failing)

    assert evidence.keep_due(watched.client, watched.account, clock=watched.clock) == 2
    assert {snapshot.instance_id for snapshot in Snapshot.objects.all()} == set(ids[1:])


def test_of_many_one_that_cannot_be_kept_fails_and_the_others_go_on(
    watched: Watched, operator: User, configured: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(watched, "errored", 4)
    keep = SnapshotQuerySet.keep

    def full(self: Any, known: Any, *args: Any, **more: Any) -> Snapshot:
        if known.instance.instance_id == ids[0]:
            raise DatabaseError("disk full")
        return keep(self, known, *args, **more)

    monkeypatch.setattr(SnapshotQuerySet, "keep", full)
    monkeypatch.setattr(type(Snapshot.objects), "keep", full)
    operation = begin(watched, operator, Kind.RESTART, waves=[4], stop_above=50)
    work(watched, operation)

    failed = operation.items.get(state=State.FAILED)
    assert failed.instance_id == ids[0]
    assert "Nothing was sent. The database did not take it" in failed.note
    assert set(patched(watched)) == set(ids[1:])
    kept = Snapshot.objects.filter(generation=1).values_list("instance_id", flat=True)
    assert set(kept) == set(ids)  # Each when it was first seen errored.


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_in_the_middle_leaves_no_half_snapshot(watched: Watched) -> None:
    id_ = watched.add("complete")
    watched.sync()
    read(watched, id_)

    command = [sys.executable, "-m", "tests.evidence.killed", database_name(), id_]
    ended = subprocess.run(command, check=False, capture_output=True, timeout=60)

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert kept_of(id_) == []
    evidence.keep_whole(watched.client, watched.row(id_), Why.PINNED, now=watched.clock())
    assert len(kept_of(id_)) == 1


def database_name() -> str:
    return str(connection.settings_dict["NAME"])


def test_what_is_held_when_snapshots_begin_is_of_the_start_that_was_read(watched: Watched) -> None:
    id_ = watched.add("complete")
    watched.sync()
    read(watched, id_)
    row = watched.row(id_)
    Instance.objects.filter(pk=row.pk).update(generation=3)
    for minutes in (-1, 1):
        noticed = watched.clock() + timedelta(minutes=minutes)
        Change.objects.create(
            instance=row, kind=Change.Kind.RESTARTED, noticed_at=noticed, generation=1, before={}
        )

    migration = import_module("dashboard.migrations.0011_snapshots")
    migration.tell_generations(apps, SimpleNamespace(connection=connection))

    assert InstanceDetail.objects.get(instance=row).generation == 2


def test_kept_ones_can_be_searched(watched: Watched) -> None:
    kept, _ = watched.add("errored"), watched.add("complete")
    watched.sync()

    found = Instance.objects.filter(CONDITIONS["kept"](watched.clock()))

    assert [row.instance_id for row in found] == [kept]
