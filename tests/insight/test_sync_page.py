"""What is wrong with queues, workers and beats is told of them as they were last heard of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashboard.broker import Carried, Kind, Process, Queue
from dashboard.insight.sync_page import SyncPage

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def page(*processes: Process, queue: Queue | None = None) -> SyncPage:
    return SyncPage(Carried((queue or Queue("fresh"),), processes), NOW)


def worker(name: str, seconds: float, *queues: str) -> Process:
    return Process(Kind.WORKER, name, ago(seconds), queues or ("fresh",))


def beat(name: str, seconds: float) -> Process:
    return Process(Kind.BEAT, name, ago(seconds))


def test_a_queue_counts_the_workers_that_take_from_it_and_live() -> None:
    [row] = page(worker("a", 20), worker("b", 21), worker("c", 1, "backfill")).queues

    assert row.alive == 1
    assert row.heard_at == ago(20)


def test_a_queue_that_nobody_ever_took_from_has_no_last_time() -> None:
    [row] = page(worker("c", 1, "backfill")).queues

    assert row.alive == 0
    assert row.heard_at is None


def test_a_task_is_late_after_half_a_minute() -> None:
    assert [
        page(queue=Queue("fresh", waiting=1, sent_at=sent_at)).queues[0].is_late
        for sent_at in (None, ago(30), ago(31))
    ] == [False, False, True]


def test_a_beat_that_was_replaced_is_not_shown_beside_the_one_that_lives() -> None:
    shown = page(beat("old", 600), beat("new", 1), worker("a", 900)).processes

    assert [(row.process.name, row.is_silent) for row in shown] == [("a", True), ("new", False)]


def test_where_no_beat_lives_the_last_one_is_shown() -> None:
    silent = page(beat("older", 900), beat("old", 600))

    assert [row.process.name for row in silent.processes] == ["old"]
    assert (silent.beats, silent.beat_heard_at) == (0, ago(600))


def test_without_redis_there_is_nothing_to_tell() -> None:
    silent = SyncPage(None, NOW)

    assert (silent.queues, silent.processes, silent.beats) == ([], [], 0)
    assert silent.beat_heard_at is None
