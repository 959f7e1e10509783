"""Instances placed in a chosen state, for tests of whatever looks at an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .chance import uuid_of
from .clock import HOUR, MINUTE, SECOND
from .course import Course
from .definition import Definition, VersionOf
from .instance import Instance, Schedule
from .plan import Do, Failure, Plan, Retries, Sleep, Step, Wait, in_turn
from .recipes.plain import plain, plain_params

if TYPE_CHECKING:
    from .world import World

FIRST = Do("first step", 200, {"ok": True}, undo_ms=HOUR)
_DOWN = Failure("Error", "upstream returned 503")
_LAST: dict[str, Step] = {
    "running": Do("long step", 6 * HOUR, timeout="12 hours"),
    "between-retries": Do(
        "flaky step", 500, failures=(_DOWN,), retries=Retries(5, "1 hour", "constant")
    ),
    "waiting": Sleep("nap", 24 * HOUR),
    "waiting-for-event": Wait("wait for approval", "approval", "7 days"),
    "rollingBack": Do("bad step", 300, failures=(_DOWN,), fails=True, retries=Retries(0)),
    "complete": Do("last step", 300, {"done": True}),
    "errored": Do(
        "charge card",
        300,
        failures=(Failure("NonRetryableError", "card was declined"),),
        fails=True,
    ),
    "errored-by-timeout": Wait("wait for approval", "approval", "1 second"),
}
_SAME = {
    "in-step": "running",
    "sleeping": "waiting",
    "queued": "running",
    "waitingForPause": "running",
    "paused": "waiting",
    "paused-between-retries": "between-retries",
    "paused-waiting-for-event": "waiting-for-event",
    "terminated": "waiting",
}
STATES = (*_LAST, *_SAME)
"""Every state that `add_instance` knows: the nine statuses, and the phases within them."""


def add_instance(
    world: World,
    workflow: str,
    state: str,
    *,
    instance_id: str | None = None,
    params: Any = None,
    trigger: str = "api",
    age: float = 60,
    plan: Plan | None = None,
    cron: str | None = None,
) -> str:
    """Place an instance that began `age` seconds ago and is in `state` now; returns its id.

    `plan` replaces the steps; the state is then one of complete, paused, terminated, queued …:
    what was done to the instance, while the plan decides the rest. With `cron`, it is an
    instance that the schedule began, with the id that such instances have.
    """
    if state not in STATES:
        raise ValueError(f"no such state: {state}; there are {', '.join(STATES)}")
    home = world.workflows.get(workflow) or world.add_workflow(_definition(workflow, cron))
    now = world.now
    created = now - round(age * SECOND)
    schedule = Schedule(cron, created - created % MINUTE) if cron else None
    if schedule:
        instance_id, trigger = f"{schedule.cron}-{schedule.scheduled_time}", "cron"
    identity = instance_id or uuid_of(world.seed, workflow, home.added, now)
    if home.get(identity, now):
        raise ValueError(f"{workflow} has an instance {identity} already")
    version, retention = home.version_at(created), home.definition.retention
    course = _course(state, plan, created, now)
    given = {} if params is None else params
    home.add(
        Instance(
            identity, version.id, trigger, created, created, course, given, retention, schedule,
            index=home.added,
        )
    )  # fmt: skip
    return identity


def _definition(workflow: str, cron: str | None) -> Definition:
    return Definition(
        workflow, f"{workflow}-script", "Placed", plain, plain_params, eras=(),
        versions=(VersionOf(24 * HOUR),), cron=cron,
    )  # fmt: skip


def _course(state: str, plan: Plan | None, created: int, now: int) -> Course:
    start = now + HOUR if state == "queued" else created + 100
    course = Course(plan or _plan(state), start)
    if state == "waitingForPause" or state.startswith("paused"):
        course.pause(max(start + 1, now - SECOND))
    if state == "terminated":
        course.terminate(max(start + 1, now - SECOND))
    return course


def _plan(state: str) -> Plan:
    state = _SAME.get(state, state)
    first = FIRST if state == "rollingBack" else Do("first step", 200, {"ok": True})
    return Plan(
        in_turn(first, _LAST[state], Do("after", 2 * MINUTE))
        if state != "complete"
        else in_turn(first, _LAST[state]),
        output={"done": True},
    )
