"""Nothing that Cloudflare sent is dropped: the page has each step, attempt, error and output."""

from __future__ import annotations

import json
import re
from html import unescape
from random import Random
from typing import Any

import pytest
from django.test import Client as Browser

from dashboard.simulator import shape
from dashboard.simulator.definition import Definition
from dashboard.simulator.facts import Facts
from dashboard.simulator.scenarios import SCENARIOS
from dashboard.simulator.server import Server
from tests.insight.details import NAMES, recorded
from tests.views.instance.test_page import path_of, text_of
from tests.views.instance.upstream import Upstream

#: Seconds since an instance began: in its first steps, and when most are over.
AGES = (30, 5 * 86_400)
DEFINITIONS = {
    definition.name: definition
    for scenario in SCENARIOS.values()
    for definition in scenario.definitions
}


def outcomes(workflow: str) -> set[str]:
    """How instances of this workflow end, in whichever scenario."""
    return {
        outcome
        for scenario in SCENARIOS.values()
        for definition in scenario.definitions
        if definition.name == workflow
        for _, weights in definition.eras
        for outcome in weights
    }


def step_blocks(reader: Browser, instance_id: str, count: int) -> list[str]:
    """The part of the table that shows each step, page by page."""
    blocks: list[str] = []
    while len(blocks) < count:
        page = str(len(blocks) // 100 + 1)
        html = reader.get(path_of(instance_id), {"steps": page}).content.decode()
        assert f'id="step-{len(blocks)}"' in html
        blocks += html.split('<tbody class="step"')[1:]
    return blocks


def errors_in(value: Any) -> list[str]:
    """Every message of an error, wherever it stands."""
    if isinstance(value, list):
        return [message for one in value for message in errors_in(one)]
    if not isinstance(value, dict):
        return []
    found = [message for one in value.values() for message in errors_in(one)]
    error = value.get("error")
    return [*found, error["message"]] if isinstance(error, dict) else found


def flat(text: str) -> str:
    return " ".join(text.split())


def assert_complete(reader: Browser, result: Any, instance_id: str) -> None:
    entries = result["steps"]
    html = reader.get(path_of(instance_id)).content.decode()
    top = flat(unescape(html))
    for message in errors_in({key: value for key, value in result.items() if key != "steps"}):
        assert flat(message) in top
    blocks = step_blocks(reader, instance_id, len(entries))
    assert len(blocks) == len(entries)
    for entry, block in zip(entries, blocks, strict=True):
        said = flat(unescape(block))
        assert entry.get("name", "") in text_of(block)
        assert len(re.findall(r"<tr data-state", block)) == len(entry.get("attempts") or [])
        for message in errors_in(entry):
            assert flat(message) in said
        if entry.get("output") not in (None, "[REDACTED]"):
            value = entry["output"]
            beginning = flat(value if isinstance(value, str) else json.dumps(value, indent=2))
            assert re.sub(r"\W", "", beginning)[:200] in re.sub(r"\W", "", said)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_shown_whole(reader: Browser, upstream: Upstream, name: str) -> None:
    upstream.add(name, recorded(name))

    assert_complete(reader, recorded(name), name)


@pytest.mark.parametrize("workflow", sorted(DEFINITIONS))
def test_every_outcome_of_every_scenario_is_shown_whole_at_any_time(
    reader: Browser, upstream: Upstream, simulator: Server, workflow: str
) -> None:
    definition: Definition = DEFINITIONS[workflow]
    world = simulator.world
    for outcome in sorted(outcomes(workflow)):
        for age in AGES:
            plan = definition.recipe(Random(age), outcome, Facts(age))
            name = f"{outcome}-{age}"
            world.add_instance(workflow, "complete", instance_id=name, age=age, plan=plan)
            instance = world.workflows[workflow].get(name, world.now)
            assert instance is not None
            result = shape.detail(instance, world.now, simple=False, descending=False, old=False)
            upstream.add(name, result)

            assert_complete(reader, result, name)
