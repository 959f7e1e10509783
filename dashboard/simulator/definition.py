"""What a scenario says about one workflow, before there are instances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .clock import DAY, MINUTE
from .facts import Facts
from .patterns import Recipe
from .population import Retention


@dataclass(frozen=True)
class VersionOf:
    """One deployed state: `age` is how long before the start of the simulation, in ms."""

    age: int
    has_dag: bool = True
    language: str = "javascript"
    concurrency: int | None = None


@dataclass(frozen=True)
class Definition:
    """`eras` are (ms before the start, weights of outcomes); `every` is ms between instances."""

    name: str
    script_name: str
    class_name: str
    recipe: Recipe
    params: Callable[[Facts], Any]
    eras: tuple[tuple[int, dict[str, int]], ...]
    share: int = 10
    every: int = MINUTE
    versions: tuple[VersionOf, ...] = (VersionOf(40 * DAY),)
    triggers: tuple[str, ...] = ("binding",)
    id_prefix: str | None = None
    cron: str | None = None
    period: int = 30 * MINUTE
    retention: Retention = field(default_factory=lambda: Retention(7 * DAY, 30 * DAY))
    backlog_since: int | None = None
    script_deleted: bool = False
    stopped: int | None = None


@dataclass(frozen=True)
class Scenario:
    """A named account. `history` is how far back the first instance lies, in ms."""

    name: str
    definitions: tuple[Definition, ...]
    instances: int
    history: int = 3 * DAY
