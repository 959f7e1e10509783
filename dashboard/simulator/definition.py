"""What a scenario says about one workflow, before there are instances."""

from __future__ import annotations

import enum
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


class Kind(enum.StrEnum):
    """What is wrong in a scenario, on purpose."""

    #: Something broke: instances fail in this step with this error, since then.
    CAUSE = "cause"
    #: Instances fail so, have always done so, and as often.
    NOISE = "noise"
    #: Instances hang in this step, and do not fail.
    STUCK = "stuck"
    #: A version does worse than the one before.
    VERSION = "version"


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong. `error`: the name of the instances' error, `since` and `version`, by
    its age, in ms before the start of the simulation."""

    kind: Kind
    workflow: str
    step: str = ""
    error: str = ""
    since: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class Scenario:
    """A named account. `history` is how far back the first instance lies, in ms. `wrong` is all
    that is wrong with it, for tests to hold findings to; no answer of the API tells it."""

    name: str
    definitions: tuple[Definition, ...]
    instances: int
    history: int = 3 * DAY
    wrong: tuple[Wrong, ...] = ()
