"""What can be asked of instances: create, pause, resume, terminate, restart, send an event, delete.

Follows the pages of each operation; where they are silent, what production and the local engine
were seen to do (a pause or a resume that makes no sense is answered and has no effect, a terminate
of a finished instance is refused).
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

from .chance import mix, salt_of, uuid_of
from .clock import duration_ms
from .course import FINISHED, Course
from .entries import Event
from .errors import Refusal, bad_body, cannot_terminate, no_instance
from .facts import Facts
from .instance import Instance
from .plan import Do, Plan, Sleep, Wait
from .population import Retention
from .workflow import Query, Workflow

OWN_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}")
RESERVED_ID = re.compile(r"cf_[0-9a-f]{64}")
LOCATIONS = frozenset(
    ["wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me"]
)
KINDS = {"do": Do, "sleep": Sleep, "waitForEvent": Wait}
START_DELAY = 180  # milliseconds in the queue when nothing is in the way


def create(workflow: Workflow, wanted: Any, now: int) -> Instance:
    """Create one instance; refuses an id that is in use."""
    instance_id = _checked_id(wanted)
    if instance_id and workflow.get(instance_id, now):
        raise Refusal(409, 10405, "workflows.api.error.instance.already_exists")
    number = salt_of(workflow.name, now, workflow.added, instance_id)
    instance_id = instance_id or uuid_of(workflow.seed, number)
    version = workflow.versions[-1]
    facts = Facts(number)
    course = Course(plan_for(workflow, number, now, facts), now + START_DELAY)
    instance = Instance(
        instance_id,
        version.id,
        "api",
        now,
        now,
        course,
        wanted.get("params", {}),
        _retention(workflow, wanted.get("instance_retention")),
        index=number,
    )
    workflow.add(instance)
    return instance


def check(wanted: Any) -> None:
    """Refuse a body that is no instance to create."""
    _checked_id(wanted)


def _checked_id(wanted: Any) -> str | None:
    if not isinstance(wanted, dict):
        raise bad_body("Expected object")
    hint = wanted.get("location_hint")
    if hint is not None and hint not in LOCATIONS:
        raise bad_body("location_hint: Invalid option")
    instance_id = wanted.get("instance_id")
    if instance_id is None:
        return None
    if not isinstance(instance_id, str) or not OWN_ID.fullmatch(instance_id):
        raise bad_body("instance_id: Invalid string")
    if RESERVED_ID.fullmatch(instance_id):
        raise bad_body("instance_id: reserved")
    return instance_id


def _retention(workflow: Workflow, wanted: Any) -> Retention:
    default = workflow.definition.retention
    if wanted is None:
        return default
    try:
        return Retention(
            duration_ms(wanted.get("success_retention", default.success)),
            duration_ms(wanted.get("error_retention", default.error)),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise bad_body("instance_retention: Invalid duration") from None


def plan_for(workflow: Workflow, number: int, now: int, facts: Facts) -> Plan:
    """A plan from the present mix of outcomes, without what people did to such instances."""
    population = workflow.population
    if population is None:
        return workflow.definition.recipe(Random(number), "fine", facts)
    outcome = population.patterns.outcome(mix(number), now)
    plan = population.patterns.plan(outcome, population.patterns.variation(number), facts)
    return Plan(plan.stages, plan.output)


def apply(
    workflow: Workflow, instance_id: str, action: str, now: int, *, rollback: bool = False
) -> str:
    """Pause, resume or terminate; returns the status afterwards."""
    instance = _touched(workflow, instance_id, now)
    status = instance.status(now)
    if action == "terminate" and status in FINISHED:
        raise cannot_terminate()
    if action == "terminate" or status != "queued":
        instance.remember(now)
        instance.course.apply(action, now, rollback=rollback)
    return instance.status(now)


def restart(workflow: Workflow, instance_id: str, now: int, target: dict[str, Any] | None) -> str:
    """Start again with the same id and params, from the beginning or from a step in the log."""
    instance = _touched(workflow, instance_id, now)
    number = mix(instance.index, instance.restarts + 1)
    plan = plan_for(workflow, number, now, workflow.facts(instance.index))
    if target is None:
        instance.remember(now)
        instance.queued = now
        instance.course = Course(plan, now + START_DELAY)
        instance.version_id = workflow.version_at(now).id
    else:
        _restart_from(instance, now, target, plan)
    instance.restarts += 1
    return instance.status(now)


def _restart_from(instance: Instance, now: int, target: dict[str, Any], plan: Plan) -> None:
    name, count = target["name"], target.get("count", 1)
    kind = KINDS[target.get("type", "do")]
    entry = next(
        (
            e
            for e in instance.course.seen(now)
            if e.kind != "rollback" and isinstance(e.spec, kind) and e.name == f"{name}-{count}"
        ),
        None,
    )
    if entry is None:
        raise Refusal(
            409, 10001, f'(instance.cannot_restart) Step "{name}" not found in execution history'
        )
    instance.remember(now)
    instance.queued = now
    course = instance.course
    if not course.restart_from(entry, now + START_DELAY, plan):
        course.restart_from(entry, now + START_DELAY, course.plan)
    course.start = now + START_DELAY


def send_event(workflow: Workflow, instance_id: str, kind: str, payload: Any, now: int) -> None:
    """Deliver an event; one that nobody waits for is kept."""
    instance = _touched(workflow, instance_id, now)
    if instance.status(now) in FINISHED:
        return
    instance.remember(now)
    instance.course.send(Event(kind, payload, now))


def terminate_all(workflow: Workflow, status: str | None, now: int) -> None:
    """Terminate every instance that is not finished, or every one of a status."""
    page = workflow.page(Query((status,) if status else (), limit=1 << 30), now)
    for found in page.rows:
        if found.status not in FINISHED:
            apply(workflow, found.id, "terminate", now)


def finish_terminating(workflow: Workflow, now: int) -> None:
    """Carry out what "terminate all" began, once its moment has come."""
    if workflow.terminates_at and now >= workflow.terminates_at[0]:
        _, status = workflow.terminates_at
        workflow.terminates_at = None
        terminate_all(workflow, status, now)


def delete(workflow: Workflow, instance_id: str, now: int) -> None:
    """Remove an instance, whatever its status."""
    if not workflow.delete(instance_id, now):
        raise no_instance()


def _touched(workflow: Workflow, instance_id: str, now: int) -> Instance:
    instance = workflow.touch(instance_id, now)
    if instance is None:
        raise no_instance()
    return instance
