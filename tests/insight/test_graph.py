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


#: The example of Cloudflare's own description: what is not awaited at once starts beside the rest.
BESIDE: dict[str, Any] = {
    "workflow": {
        "nodes": [
            step("a", starts=1, resolves=3),
            step("b", starts=1, resolves=3),
            step("c", starts=1, resolves=2),
            step("d", starts=2, resolves=3),
            step("last"),
        ]
    }
}


def places(graph: dict[str, Any]) -> dict[str, Box]:
    [start] = read_graph(graph)
    return {box.title: box for box in draw(start).boxes}


def test_what_starts_together_stands_side_by_side_down_to_where_it_is_awaited() -> None:
    box = places(BESIDE)

    assert box["a"].y == box["b"].y == box["c"].y < box["d"].y < box["last"].y
    assert len({box["a"].x, box["b"].x, box["c"].x}) == 3
    assert box["c"].x == box["d"].x
    ends = {name: box[name].y + box[name].height for name in "abcd"}
    assert ends["a"] == ends["b"] == ends["d"] > ends["c"]
    [start] = read_graph(BESIDE)
    said = [node.levels for node in start.walk()]
    assert said == [
        "",
        "starts at 1, awaited at 3",
        "starts at 1, awaited at 3",
        "starts at 1, awaited at 2",
        "starts at 2, awaited at 3",
        "",
    ]
    # Arrows lead where one is awaited and the next begins: from c to d, and to the last.
    assert len(draw(start).lines) == 2


def test_what_nothing_says_is_awaited_reaches_down_to_the_end_of_those_beside_it() -> None:
    steps = [step("a", starts=1), step("b", starts=1, resolves=2), step("c", starts=3)]
    box = places({"workflow": {"nodes": [{"type": "parallel", "kind": "all", "nodes": steps}]}})

    assert box["a"].y == box["b"].y < box["c"].y
    assert box["a"].y + box["a"].height == box["c"].y + box["c"].height


def test_levels_that_cannot_be_are_left_out() -> None:
    odd = [
        step("a", starts="x", resolves=1),
        step("b", starts=2, resolves=1),
        step("c", resolves=4),
    ]

    said = [node.levels for node in nodes({"workflow": {"nodes": odd}})]

    assert said == ["", "", "starts at 2", ""]


def trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    inside = st.lists(inner, max_size=3)
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["loop", "parallel", "if", "try", "step_do", "odd"])},
        optional={
            "nodes": inside,
            "branches": st.lists(st.fixed_dictionaries({"nodes": inside}), max_size=3),
            "name": st.text(max_size=40),
            "catch_block": st.fixed_dictionaries({"nodes": inside}),
            "starts": st.integers(0, 5) | st.just("?"),
            "resolves": st.integers(0, 6),
        },
    )


LEAVES = (
    st.none()
    | st.text()
    | st.integers()
    | st.fixed_dictionaries(
        {"type": st.just("step_do"), "name": st.just("x")},
        optional={"starts": st.integers(0, 5), "resolves": st.integers(0, 6)},
    )
)


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
