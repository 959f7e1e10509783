"""The diagram of a version: each node is drawn once and named, whatever Cloudflare sends."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.insight.graph import Node, read_graph
from dashboard.insight.graph_layout import Box, draw

RETRIES = {"limit": 5, "delay": "10 seconds", "backoff": "exponential"}


def step(name: str, **more: Any) -> dict[str, Any]:
    config = {"retries": RETRIES, "timeout": 600_000}
    return {"type": "step_do", "name": name, "config": config, "nodes": [], **more}


#: Every type of node that the reference knows, and one that it does not.
WHOLE: dict[str, Any] = {
    "version": 1,
    "workflow": {
        "class_name": "Orders",
        "functions": {
            "notify": {"type": "function_def", "name": "notify", "nodes": [step("mail")]}
        },
        "nodes": [
            step("check (loop ${...})"),
            {"type": "step_sleep", "name": "nap", "duration": 60_000},
            {"type": "step_sleep_until", "name": "dawn", "timestamp": "unknown"},
            {
                "type": "step_wait_for_event",
                "name": "approval",
                "options": {"event_type": "approved", "timeout": "1 day"},
            },
            {"type": "loop", "nodes": [step("row"), {"type": "break", "kind": "return"}]},
            {"type": "parallel", "kind": "all_settled", "nodes": [step("left"), step("right")]},
            {
                "type": "try",
                "try_block": {"type": "block", "nodes": [step("risky")]},
                "catch_block": {"type": "block", "nodes": [step("mend")]},
                "finally_block": None,
            },
            {
                "type": "if",
                "branches": [
                    {"condition": "total > 100", "nodes": [step("big")]},
                    {"condition": None, "nodes": [{"type": "function_call", "name": "notify"}]},
                ],
            },
            {
                "type": "switch",
                "discriminant": "kind",
                "branches": [{"condition": '"a"', "nodes": []}, {"nodes": [step("other")]}],
            },
            {"type": "block", "nodes": [step("inner", nodes=[step("nested")])]},
            {"type": "quantum_leap", "name": "new here", "nodes": [step("after the leap")]},
        ],
    },
}


def nodes(graph: dict[str, Any]) -> list[Node]:
    return [node for part in read_graph(graph) for node in part.walk()]


def test_every_node_is_there_with_what_is_said_of_it() -> None:
    found = {node.title: node.note for node in nodes(WHOLE)}

    assert found["check (loop ${...})"] == "5 retries, exponential 10 s, timeout 10 m"
    assert found["nap"] == "1 m"
    assert found["approval"] == "approved, timeout 1 d"
    assert found["parallel"] == "all settled of"
    assert found["switch"] == "kind"
    assert found["break"] == "return"
    assert {"mail", "row", "left", "right", "risky", "mend", "big", "other", "nested"} <= set(found)
    assert {"Orders", "new here", "after the leap"} <= set(found)
    assert [node.word for node in nodes(WHOLE) if not node.is_known] == ["quantum_leap"]


def test_branches_and_blocks_say_when_they_run() -> None:
    labels = [lane.label for node in nodes(WHOLE) for lane in node.lanes if lane.label]

    assert labels == ["try", "catch", "total > 100", "else", '"a"', "default"]


@pytest.mark.parametrize(
    ("name", "seen", "is_it"),
    [
        ("charge", "charge", True),
        ("charge", "charge-2", True),
        ("charge", "charged", False),
        ("row ${...} of ${n}", "row 7 of 9-3", True),
        ("a.b", "axb", False),
        ("", "charge", False),
    ],
)
def test_a_step_is_known_by_its_name_a_template_or_a_number(
    name: str, seen: str, is_it: bool
) -> None:
    assert Node("step_do", name).is_named(seen) is is_it


def overlap(one: Box, other: Box) -> bool:
    return not (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def assert_well_drawn(part: Node) -> None:
    drawing = draw(part)
    assert [box.node for box in drawing.boxes] == list(part.walk())
    for one, other in combinations(drawing.boxes, 2):
        if other.node in one.node.walk():
            assert holds(one, other)
        else:
            assert not overlap(one, other)
    for box in drawing.boxes:
        assert 0 <= box.x < box.x + box.width <= drawing.width
        assert 0 <= box.y < box.y + box.height <= drawing.height


def test_a_node_stands_in_its_frame_and_beside_all_others() -> None:
    for part in read_graph(WHOLE):
        assert_well_drawn(part)


def trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    inside = st.lists(inner, max_size=3)
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["loop", "parallel", "if", "try", "step_do", "odd"])},
        optional={
            "nodes": inside,
            "branches": st.lists(st.fixed_dictionaries({"nodes": inside}), max_size=3),
            "name": st.text(max_size=40),
            "catch_block": st.fixed_dictionaries({"nodes": inside}),
        },
    )


LEAVES = st.none() | st.text() | st.integers() | st.just({"type": "step_do", "name": "x"})


@given(st.recursive(LEAVES, trees, max_leaves=12))
def test_any_tree_is_read_and_well_drawn(node: Any) -> None:
    for part in read_graph({"workflow": {"nodes": [node, node]}}):
        assert_well_drawn(part)


@given(st.dictionaries(st.text(), st.recursive(LEAVES, st.lists, max_leaves=5)))
def test_what_is_no_diagram_is_an_empty_one(graph: dict[str, Any]) -> None:
    assert read_graph(graph)
    assert read_graph({"workflow": graph})


def test_a_diagram_without_end_is_cut_and_says_so() -> None:
    deep: Any = step("bottom")
    for _ in range(500):
        deep = {"type": "loop", "nodes": [deep]}
    wide = {"workflow": {"nodes": [step(f"n{number}") for number in range(5000)]}}

    notes = [node.note for node in nodes({"workflow": {"nodes": [deep]}})]

    assert notes[-1] == "what is inside is not drawn"
    assert len(notes) < 40
    assert len(nodes(wide)) == 5001
