"""Reading single instances from Cloudflare into the local copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import (
    CloudflareError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from dashboard.models import Instance, Workflow, recording


def read_instance(
    client: Client, workflow: Workflow, instance_id: str, *, now: datetime
) -> Instance:
    """Reads the instance with its steps and writes down what was told. Returns its row.

    Raises CloudflareError. When Cloudflare no longer finds a known instance, its row is marked as
    expired and NotFound is raised all the same.
    """
    try:
        detail = client.get_instance(workflow.name, instance_id)
    except NotFound as error:
        mark_absent(workflow, instance_id, error, now=now)
        raise
    return recording.record_detail(workflow, instance_id, detail, now=now)


def mark_absent(workflow: Workflow, instance_id: str, error: NotFound, *, now: datetime) -> None:
    """Marks a known instance as expired, if it is what Cloudflare did not find."""
    known = Instance.objects.filter(workflow=workflow, instance_id=instance_id).first()
    if known and error.what != "workflow":
        recording.record_absence(known, now=now)


def read_each(
    client: Client, instances: Iterable[Instance], *, clock: Callable[[], datetime]
) -> None:
    """Reads the detail of each; one that is gone is marked so, and the others go on.

    Raises CloudflareError: at once what would hit all of them, at the end what has hit one.
    """
    failure: CloudflareError | None = None
    for instance in instances:
        try:
            read_instance(client, instance.workflow, instance.instance_id, now=clock())
        except NotFound as error:
            if error.what == "workflow":
                raise
        except (RateLimited, Unauthorized, Unreachable):
            raise
        except CloudflareError as error:
            failure = error
    if failure:
        raise failure
