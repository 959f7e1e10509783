"""Cloudflare's JSON becomes our types, whatever is odd, missing, null or new in it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cloudflare import (
    ErrorDetail,
    InstanceDetail,
    Status,
    StepType,
    Trigger,
    log,
    parsing,
    values,
)
from dashboard.cloudflare.responses import Result

SAMPLES = Path(__file__).parent.parent / "samples"
NAMES = sorted(path.name for path in SAMPLES.glob("*.json"))

#: Every word that the parsing looks for, so that odd values come where it looks.
SOURCES = [Path(module.__file__) for module in (parsing, log)]
FIELDS = sorted({name for s in SOURCES for name in re.findall(r'"(\w+)"', s.read_text())})

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4)


def sample(name: str) -> dict[str, Any]:
    result = json.loads((SAMPLES / name).read_text())["result"]
    assert isinstance(result, dict)
    return result


def local(result: Any) -> InstanceDetail:
    return parsing.instance_detail(result, outputs_are_text=False)


def remote(result: Any) -> InstanceDetail:
    return parsing.instance_detail(result, outputs_are_text=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_instance_keeps_its_steps_and_values(name: str) -> None:
    result = sample(name)
    detail = local(result)
    assert detail.status == result["status"]
    assert detail.status.is_known
    assert len(detail.steps) == len(result["steps"]) == detail.step_count
    assert detail.queued is not None
    assert detail.raw == result
    for step, entry in zip(detail.steps, result["steps"], strict=True):
        assert (step.name, step.type) == (entry["name"], entry["type"])
        assert step.type.is_known
        assert step.output == entry.get("output")
        assert len(step.attempts) == len(entry.get("attempts", []))
        assert step.start is not None
        assert step.raw == entry


def test_a_wait_that_timed_out_failed_although_it_is_finished() -> None:
    step = local(sample("errored.event-timeout.json")).steps[-1]
    assert step.success is False
    assert step.error == ErrorDetail("WorkflowTimeoutError", "")
    assert not step.has_output
    assert not step.is_unfinished


def test_an_open_wait_and_an_open_sleep_are_neither_done_nor_failed() -> None:
    for name in ("running.waiting-for-event.json", "running.sleeping.json"):
        step = local(sample(name)).steps[-1]
        assert step.success is None
        assert step.is_unfinished


def test_a_received_event_and_a_step_between_retries_are_told_apart() -> None:
    wait = next(
        step
        for step in local(sample("complete.event-received.json")).steps
        if step.type is StepType.WAIT_FOR_EVENT
    )
    assert wait.success is True
    assert wait.has_output
    retrying = local(sample("running.between-retries.json")).steps[-1]
    assert retrying.success is None
    assert retrying.attempts[-1].success is False


def test_a_planned_end_does_not_finish_a_sleep() -> None:
    sleep = {"type": "sleep", "finished": False, "end": "2030-01-01T00:00:00Z", "error": None}
    step = parsing.step(sleep, 0, outputs_are_text=True)
    assert step.success is None
    assert step.end == datetime(2030, 1, 1, tzinfo=UTC)


def test_a_cut_output_is_marked_and_stays_text() -> None:
    steps = {step.base_name: step for step in local(sample("complete.output-stream.json")).steps}
    assert steps["export ledger"].is_output_truncated
    assert not steps["tokenise card"].is_output_truncated
    assert steps["tokenise card"].config is not None
    assert steps["tokenise card"].config.is_sensitive
    assert not steps["note nothing"].has_output


@pytest.mark.parametrize(
    ("sent", "as_text", "as_value"),
    [
        ('{"a": 1}', {"a": 1}, '{"a": 1}'),
        ("42", 42, "42"),
        ('"42"', "42", '"42"'),
        ("null", None, "null"),
        ("plain words", "plain words", "plain words"),
        ("[REDACTED]", "[REDACTED]", "[REDACTED]"),
        ('{"a": "x[truncated output]', '{"a": "x[truncated output]', '{"a": "x[truncated output]'),
        ("NaN", "NaN", "NaN"),
        ("[" * 50_000, "[" * 50_000, "[" * 50_000),
        (
            "[ReadableStream (binary): 5 bytes]",
            "[ReadableStream (binary): 5 bytes]",
            "[ReadableStream (binary): 5 bytes]",
        ),
        (7, 7, 7),
        ({"a": 1}, {"a": 1}, {"a": 1}),
    ],
)
def test_cloudflares_outputs_are_decoded_and_the_local_engines_are_values(
    sent: Any, as_text: Any, as_value: Any
) -> None:
    assert remote({"output": sent}).output == as_text
    assert local({"output": sent}).output == as_value


def test_an_output_of_null_is_told_from_none() -> None:
    def has_output(entry: dict[str, Any], *, outputs_are_text: bool) -> bool:
        return parsing.step(entry, 0, outputs_are_text=outputs_are_text).has_output

    done: dict[str, Any] = {"type": "step", "success": True}
    assert has_output(done | {"output": None}, outputs_are_text=False)
    assert not has_output(done, outputs_are_text=False)
    assert has_output(done | {"output": "null"}, outputs_are_text=True)
    assert not has_output(done | {"output": None}, outputs_are_text=True)
    assert not has_output({"success": None, "output": None}, outputs_are_text=False)


def test_half_an_emoji_from_a_cut_text_is_replaced() -> None:
    document = '{"output": "caf\\u00e9 \\ud83d", "whole": "\\ud83d\\ude00", "\\udc00": 1}'
    for form in (document, document.encode()):
        value = values.loads(form)
        assert value == {"output": "café \ufffd", "whole": "😀", "\ufffd": 1}


def test_old_and_new_shapes_of_a_trigger_are_one() -> None:
    assert parsing.instance({"trigger_source": "cron"}).trigger is Trigger.CRON
    assert parsing.instance({"trigger": {"source": "api"}}).trigger is Trigger.API
    assert parsing.instance({}).trigger is Trigger.UNKNOWN
    assert parsing.instance({"trigger_source": "moon"}).trigger == "moon"


def test_unknown_words_are_kept_and_known_to_be_unknown() -> None:
    step = {"type": "teleport", "name": "x-1", "new_field": [1]}
    detail = remote({"status": "hibernating", "steps": [step, "odd", None], "new": 1})
    assert detail.status == "hibernating"
    assert not detail.status.is_known
    assert not detail.status.is_finished
    assert [step.type for step in detail.steps] == ["teleport", "unknown", "unknown"]
    assert detail.steps[0].raw["new_field"] == [1]
    assert detail.steps[1].raw == {"value": "odd"}
    assert detail.raw["new"] == 1


def test_a_termination_has_only_its_trigger_and_equal_names_keep_their_places() -> None:
    entries = [
        {"type": "step", "name": "pay-1"},
        {"type": "rollback", "name": "pay-1", "output": None, "success": False},
        {"type": "step", "name": "pay-1"},
        {"type": "termination", "trigger": {"source": "api"}},
    ]
    steps = remote({"steps": entries}).steps
    assert [step.index for step in steps] == [0, 1, 2, 3]
    assert steps[-1].trigger == "api"
    assert not steps[-1].is_unfinished


def test_the_newest_fields_of_a_detail_are_read() -> None:
    detail = remote(
        {
            "status": "errored",
            "versionId": "v",
            "success": None,
            "rollback": {"outcome": "failed", "error": {"name": "E", "message": "m"}},
            "schedule": {"cron": "* * * * *", "scheduledTime": 1786001400000},
            "params": "x[truncated output]",
            "error": "only a text",
        }
    )
    assert detail.version_id == "v"
    assert detail.success is None
    assert detail.rollback is not None
    assert detail.rollback.error == ErrorDetail("E", "m")
    assert detail.schedule == {"cron": "* * * * *", "scheduledTime": 1786001400000}
    assert detail.is_params_truncated
    assert detail.error == ErrorDetail("", "only a text")


def test_success_follows_from_the_status_where_the_engine_does_not_say() -> None:
    assert local({"status": "complete"}).success is True
    assert local({"status": "errored"}).success is False
    assert local({"status": "terminated"}).success is None
    assert local({"status": "running"}).success is None


def test_a_long_log_is_read_in_order() -> None:
    entries = [{"type": "step", "name": f"s-{n}", "output": "1"} for n in range(25_000)]
    steps = remote({"steps": entries}).steps
    assert len(steps) == 25_000
    assert steps[-1].count == 24_999


@pytest.mark.parametrize(
    "sent",
    [
        "2026-11-20T23:38:34.594Z",
        "2026-11-20T23:38:34.594+00:00",
        "2026-11-21T01:38:34.594+02:00",
        "2026-11-20T23:38:34.594",
        "2026-11-20T23:38:34.594000000Z",
        1795217914594,
        1795217914594.0,
        "1795217914594",
    ],
)
def test_an_instant_is_read_in_each_form(sent: Any) -> None:
    moment = values.instant(sent)
    expected = datetime(2026, 11, 20, 23, 38, 34, 594000, tzinfo=UTC)
    assert moment == (expected if sent != "1795217914594" else None)


@pytest.mark.parametrize(
    "sent", [None, "", "soon", True, [], {}, 1e300, -1e300, "9999-12-31T23:59:59-23:59", "0001"]
)
def test_what_is_no_instant_is_none(sent: Any) -> None:
    assert values.instant(sent) is None


@given(st.datetimes())
def test_an_instant_survives_being_sent(moment: datetime) -> None:
    text = values.instant_as_text(moment)
    assert text.endswith("Z")
    expected = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    assert values.instant(text) == expected


PARSERS: list[Callable[[Any], Any]] = [
    parsing.workflow,
    parsing.version,
    parsing.instance,
    parsing.created_instance,
    parsing.status_change,
    local,
    remote,
]


@given(value=objects | json_values)
def test_parsing_never_raises_and_loses_nothing(value: Any) -> None:
    for parse in PARSERS:
        parsed = parse(value)
        assert dataclasses.is_dataclass(parsed)
        assert repr(parsed)  # Reads what is only read when it is asked for.
        assert parsed.raw == (value if isinstance(value, dict) else {})


@given(value=objects | json_values)
def test_the_other_parsers_never_raise(value: Any) -> None:
    parsing.graph(value, "v")
    parsing.deletion(value)
    parsing.created_instances(value)
    parsing.instance_page(Result(value, {"cursor": value}, None), drop_ghosts=True)


@given(entries=st.lists(objects | json_values, max_size=3))
def test_every_step_is_kept_at_its_place(entries: list[Any]) -> None:
    steps = remote({"steps": entries}).steps
    assert repr(steps)
    assert repr(local({"steps": entries}).steps)
    assert [step.index for step in steps] == list(range(len(entries)))
    for step, entry in zip(steps, entries, strict=True):
        assert step.raw == (entry if isinstance(entry, dict) else {"value": entry})


@pytest.mark.parametrize("path", sorted((SAMPLES / "workerd").glob("status.*.json")))
def test_the_other_engines_statuses_are_known(path: Path) -> None:
    status = parsing.instance(json.loads(path.read_text())).status
    assert status.is_known
    assert status is not Status.UNKNOWN
