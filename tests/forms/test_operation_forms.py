"""What people type: any JSON comes through unchanged, and whatever is none is refused."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.forms import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.cloudflare import bodies, targets, types
from dashboard.forms.creating import BatchForm, CreateForm
from dashboard.forms.json_text import read_json
from dashboard.forms.new_instance import clean_instance_id, clean_retention
from dashboard.forms.operations import RestartForm, TerminateForm

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)
COMMON = {"kind": "create", "key": str(uuid.uuid4()), "account_id": "a", "workflow_name": "w"}
INSTANCE = COMMON | {"kind": "restart", "instance_id": "i"}


@given(VALUES, st.booleans())
def test_any_json_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(st.text())
@example("NaN")
@example("-Infinity")
@example("1e309")
@example('"\\udfff"')
@example("[" * 5000)
@example("²")
def test_a_text_is_refused_or_it_can_be_sent(text: str) -> None:
    try:
        value = read_json(text)
    except ValidationError:
        return
    assert json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode()) == value


@given(st.text())
@example("a\n")
@example("ⅷ")
@example("_")
def test_an_id_is_refused_or_one_that_cloudflare_takes(text: str) -> None:
    try:
        instance_id = clean_instance_id(text)
    except ValidationError:
        return
    assert 1 <= len(instance_id) <= 100
    assert instance_id.isascii()
    assert not instance_id.startswith("-")
    assert set(instance_id) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    )


def test_every_made_up_id_is_another() -> None:
    assert clean_instance_id("") != clean_instance_id("")


@pytest.mark.parametrize(
    ("given", "sent"),
    [("", None), (None, None), ("60000", 60000), (60000, 60000), ("3 days", "3 days")],
)
def test_a_retention_is_milliseconds_or_words(given: Any, sent: str | int | None) -> None:
    assert clean_retention(given) == sent


@pytest.mark.parametrize("given", ["²", "-1", -1, "never", True, [], 1.5, "9" * 40, " "])
def test_what_is_no_duration_is_no_retention(given: Any) -> None:
    with pytest.raises(ValidationError, match="is no retention"):
        clean_retention(given)


@given(VALUES)
def test_params_are_sent_and_kept_as_they_were_typed(value: Any) -> None:
    form = CreateForm(COMMON | {"params": json.dumps(value)})

    assert form.is_valid(), form.errors
    new = form.new_instance
    assert new.params == value
    body = bodies.new_instance(new, targets.CLOUDFLARE, as_text=False)
    assert body.get("params") == form.arguments().get("params") == value


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["params", "location_hint", "instance_id", "x"]), VALUES)
    ),
    st.booleans(),
)
def test_a_batch_is_refused_or_can_be_sent(batch: list[Any], one_a_line: bool) -> None:
    text = "\n".join(map(json.dumps, batch)) if one_a_line else json.dumps(batch)
    form = BatchForm(COMMON | {"batch": text})

    if form.is_valid():
        new = [types.NewInstance(one.instance_id) for one in form.rows()]
        sent = bodies.new_instances(new[:100], targets.CLOUDFLARE, as_text=False)
        assert [entry["instance_id"] for entry in sent] == [one.id for one in new[:100]]
        assert len({one.id for one in new}) == len(batch)
    else:
        assert form.errors["batch"]


@pytest.mark.parametrize("known", list(types.StepType))
def test_only_steps_sleeps_and_waits_can_be_restarted_from(known: types.StepType) -> None:
    restartable = {"step": "do", "sleep": "sleep", "waitForEvent": "waitForEvent"}
    step = types.Step(index=0, type=known, name="it-1")
    detail = types.InstanceDetail(types.Status.ERRORED, (step,))

    form = RestartForm(INSTANCE | {"reason": "again", "restart_from": "0"}, detail=detail)

    assert form.is_valid() == (known.value in restartable)
    if form.is_valid():
        assert form.arguments()["from"]["type"] == restartable[known.value]


def test_steps_of_one_name_are_told_apart() -> None:
    steps = tuple(
        types.Step(index=index, type=types.StepType.STEP, name=f"import rows-{index + 1}")
        for index in range(3)
    )

    detail = types.InstanceDetail(types.Status.ERRORED, steps)

    form = RestartForm(INSTANCE | {"reason": "again", "restart_from": "1"}, detail=detail)

    assert form.is_valid(), form.errors
    assert form.arguments() == {"from": {"name": "import rows", "count": 2, "type": "do"}}


def test_of_thousands_of_steps_the_latest_and_what_is_chosen_are_offered_and_any_is_taken() -> None:
    steps = tuple(
        types.Step(index=index, type=types.StepType.STEP, name=f"item-{index + 1}", success=True)
        for index in range(5000)
    )
    detail = types.InstanceDetail(types.Status.ERRORED, steps)

    form = RestartForm(INSTANCE | {"reason": "again", "restart_from": "7"}, detail=detail)

    offered = str(form["restart_from"])
    assert form.is_valid(), form.errors
    assert form.arguments()["from"]["count"] == 8
    assert offered.count("<option") == 202
    assert '<option value="7" selected>' in offered


def test_a_step_whose_number_is_no_number_keeps_its_whole_name() -> None:
    step = types.Step(index=0, type=types.StepType.STEP, name="m-²")

    assert (step.base_name, step.count) == ("m-²", None)


def test_no_box_ticked_means_no_rollback() -> None:
    form = TerminateForm(INSTANCE | {"kind": "terminate", "reason": "stop"})

    assert form.is_valid(), form.errors
    assert form.arguments() == {}
