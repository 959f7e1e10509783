"""A workflow that nobody described: made over the API, or by a test."""

from __future__ import annotations

from random import Random
from typing import Any

from dashboard.simulator.clock import SECOND
from dashboard.simulator.facts import Facts
from dashboard.simulator.plan import Do, Plan, Sleep, in_turn


def plain_params(_facts: Facts) -> Any:
    """Nothing in particular."""
    return {}


def plain(chance: Random, _outcome: str, facts: Facts) -> Plan:
    """Two steps with a nap between them."""
    return Plan(
        in_turn(
            Do("first step", chance.randrange(200, 2_000), {"key": facts.key}),
            Sleep("nap", 10 * SECOND),
            Do("second step", chance.randrange(200, 2_000), {"done": True}),
        ),
        output={"key": facts.key},
    )
