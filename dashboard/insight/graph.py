"""The diagram of a version as a tree, from what Cloudflare sends for it. Nothing here raises.

Follows "Get workflow version graph" of
<https://developers.cloudflare.com/api/resources/workflows/subresources/versions/>, and for what
`starts` and `resolves` mean <https://blog.cloudflare.com/workflow-diagrams/>. A node of a type that
is not known there is kept with its type as its name, and with the nodes inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from dashboard.cloudflare import values
from dashboard.cloudflare.types import Json, base_name
from dashboard.insight.durations import duration, short

#: Of what is nested deeper, or comes after so many, only the name is kept.
DEEPEST = 30
MOST = 2_000
WORDS = {
    "step_do": gettext_noop("step"),
    "step_sleep": gettext_noop("sleep"),
    "step_sleep_until": gettext_noop("sleep until"),
    "step_wait_for_event": gettext_noop("wait for event"),
    "function_call": gettext_noop("call"),
    "function_def": gettext_noop("function"),
    "start": gettext_noop("start"),
    "block": gettext_noop("block"),
    "loop": gettext_noop("loop"),
    "parallel": gettext_noop("parallel"),
    "try": gettext_noop("try"),
    "if": gettext_noop("if"),
    "switch": gettext_noop("switch"),
    "break": gettext_noop("break"),
}
KINDS = {
    "all": gettext_noop("all of"),
    "any": gettext_noop("any of"),
    "all_settled": gettext_noop("all settled of"),
    "race": gettext_noop("race of"),
}
BLOCKS = {"try_block": "try", "catch_block": "catch", "finally_block": "finally"}
STEPS = frozenset({"step_do", "step_sleep", "step_sleep_until", "step_wait_for_event"})
_TEMPLATE = re.compile(r"\$\{.*?\}")


@dataclass(frozen=True)
class Lane:
    """Nodes one after the other; `label` says when they run, "" where they always do."""

    label: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Node:
    """One node, equal to no other. `type` is Cloudflare's word, `word` ours; `name` as the author
    wrote it, "" where it has none; `note` what else is said of it. Its lanes stand side by side.

    A step that the code does not wait for at once `starts` at one level and `resolves`, which is
    awaited, at a later one; of those in one lane the levels can be compared. Both are None for a
    step that is awaited where it stands; `resolves` also where nothing says when it is awaited.
    """

    type: str
    name: str = ""
    note: str = ""
    lanes: tuple[Lane, ...] = ()
    starts: int | None = None
    resolves: int | None = None

    @property
    def word(self) -> str:
        return _(WORDS[self.type]) if self.is_known else self.type

    @property
    def is_known(self) -> bool:
        return self.type in WORDS

    @property
    def is_step(self) -> bool:
        return self.type in STEPS

    @property
    def title(self) -> str:
        return self.name or self.word

    @property
    def levels(self) -> str:
        """`starts at 1, awaited at 2`; "" for a node that is awaited where it stands."""
        if self.starts is None:
            return ""
        text = _("starts at %(starts)s, awaited at %(resolves)s")
        if self.resolves is None:
            text = _("starts at %(starts)s")
        return text % {"starts": self.starts, "resolves": self.resolves}

    def is_named(self, step: str) -> bool:
        """Whether a step of an instance with this name is one of this node: its name may be a
        template, and Cloudflare adds a number to it."""
        pattern = ".*".join(map(re.escape, _TEMPLATE.split(self.name)))
        return any(re.fullmatch(pattern, name, re.DOTALL) for name in {step, base_name(step)})

    def walk(self) -> Iterator[Node]:
        """This node and all inside it, in the order of the code."""
        yield self
        for lane in self.lanes:
            for node in lane.nodes:
                yield from node.walk()


def read_graph(graph: Json) -> tuple[Node, ...]:
    """What the workflow does, then the functions that it calls, each as a node of its own."""
    workflow = values.mapping(graph.get("workflow"))
    reader = _Reader()
    functions = values.mapping(workflow.get("functions"))
    found = [reader.node({"type": "start", **workflow, "functions": {}}, 0)]
    for name, function in functions.items():
        row = values.mapping(function)
        found.append(reader.node({"type": "function_def", "name": name, **row}, 0))
    return tuple(found)


class _Reader:
    def __init__(self) -> None:
        self.number = 0

    def node(self, value: Any, depth: int) -> Node:
        row = values.mapping(value)
        kind = values.text(row.get("type")) or "unknown"
        name = values.text(row.get("name"))
        if kind == "start":
            name = values.text(row.get("class_name"))
        self.number += 1
        if depth > DEEPEST or self.number > MOST:
            return Node(kind, name, _("what is inside is not drawn"))
        lanes = tuple(self._lanes(kind, row, depth))
        starts, resolves = values.integer(row.get("starts")), values.integer(row.get("resolves"))
        if starts is None or (resolves is not None and resolves <= starts):
            resolves = None
        return Node(kind, name, _note(kind, row), lanes, starts, resolves)

    def _lanes(self, kind: str, row: Json, depth: int) -> Iterator[Lane]:
        if kind == "parallel":
            beside = self._nodes(values.items(row.get("nodes")), depth)
            has_levels = any(node.starts is not None for node in beside)
            yield from [Lane("", beside)] if has_levels else [Lane("", (node,)) for node in beside]
            return
        if nodes := values.items(row.get("nodes")):
            yield Lane("", self._nodes(nodes, depth))
        for name, label in BLOCKS.items():
            if nodes := values.items(values.mapping(row.get(name)).get("nodes")):
                yield Lane(label, self._nodes(nodes, depth))
        otherwise = "default" if kind == "switch" else "else"
        for value in values.items(row.get("branches")):
            branch = values.mapping(value)
            label = values.text(branch.get("condition")) or otherwise
            yield Lane(label, self._nodes(values.items(branch.get("nodes")), depth))

    def _nodes(self, nodes: list[Any], depth: int) -> tuple[Node, ...]:
        return tuple(self.node(node, depth + 1) for node in nodes)


def _note(kind: str, row: Json) -> str:
    """What else is said of a node, in a few words."""
    match kind:
        case "step_do":
            return _config(values.mapping(row.get("config")))
        case "step_sleep":
            return _length(row.get("duration"))
        case "step_sleep_until":
            return values.text(row.get("timestamp"))
        case "step_wait_for_event":
            options = values.mapping(row.get("options"))
            said = (values.text(options.get("event_type")), _timeout(options))
            return ", ".join(part for part in said if part)
        case "parallel":
            word = values.text(row.get("kind"))
            return _(KINDS[word]) if word in KINDS else word
        case "switch":
            return values.text(row.get("discriminant"))
        case "break":
            return values.text(row.get("kind"))
    return ""


def _config(config: Json) -> str:
    retries = values.mapping(config.get("retries"))
    limit = values.integer(retries.get("limit"))
    delay, tries = _length(retries.get("delay")), ""
    if limit is not None:
        text = ngettext("%(number)s retry", "%(number)s retries", limit)
        tries = text % {"number": f"{limit:,}"}
    said = (
        tries,
        delay and f"{values.text(retries.get('backoff'))} {delay}".strip(),
        _timeout(config),
    )
    return ", ".join(part for part in said if part)


def _timeout(config: Json) -> str:
    timeout = _length(config.get("timeout"))
    return timeout and _("timeout %(time)s") % {"time": timeout}


def _length(value: Any) -> str:
    told = values.duration(value)
    found = duration(told)
    return short(found) if found is not None else "" if told is None else str(told)
