"""The diagram of a workflow, drawn from its recipe: "Get workflow version graph"."""

from __future__ import annotations

from random import Random
from typing import Any

from .facts import Facts
from .plan import Do, Sleep, Step
from .workflow import Workflow

Json = dict[str, Any]


def graph_of(workflow: Workflow) -> Json:
    """Nodes in order; parallel steps in a `parallel` node, repeated names in a `loop`."""
    plan = workflow.definition.recipe(Random(workflow.seed), "fine", Facts(workflow.seed))
    nodes: list[Json] = []
    repeated: str | None = None
    for stage in plan.stages:
        if len(stage) > 1:
            beside = [_node(step) | {"starts": 1, "resolves": 2} for step in stage]
            nodes.append({"type": "parallel", "kind": "all", "nodes": beside})
            repeated = None
        elif stage[0].name != repeated:
            repeated = stage[0].name
            many = sum(len(s) == 1 and s[0].name == repeated for s in plan.stages) > 1
            node = _node(stage[0])
            nodes.append({"type": "loop", "nodes": [node]} if many else node)
    return {
        "version": 1,
        "workflow": {"class_name": workflow.class_name, "functions": {}, "nodes": nodes},
    }


def _node(step: Step) -> Json:
    if isinstance(step, Do):
        retries = {
            "limit": step.retries.limit,
            "delay": step.retries.delay,
            "backoff": step.retries.backoff or "constant",
        }
        config = {"retries": retries, "timeout": step.timeout}
        return {"type": "step_do", "name": step.name, "config": config, "nodes": []}
    if isinstance(step, Sleep):
        return {"type": "step_sleep", "name": step.name, "duration": step.ms}
    options = {"event_type": step.event_type, "timeout": step.timeout}
    return {"type": "step_wait_for_event", "name": step.name, "options": options}
