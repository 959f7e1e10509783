"""What a list tells of workflows and their versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from dashboard.cloudflare import types
from dashboard.models.account import Account
from dashboard.models.history import CountsThen
from dashboard.models.storing import fits, storable_facts, storable_json
from dashboard.models.workflow import Version, Workflow


def record_workflows(
    account: Account, listed: Sequence[types.Workflow], *, now: datetime
) -> list[Workflow]:
    """Writes a whole workflow list; those missing from it are marked as gone. Returns the rest."""
    known = {(row.name, row.cloudflare_id): row for row in account.workflows.all()}
    present, same = [], []
    for told in listed:
        row = known.get((told.name, told.id))
        if row and told.counts is not None and _says(row, _facts_of_workflow(told)):
            row.counted_at = now
            same.append(row.pk)
            present.append(row)
        elif fits(Workflow, "name", told.name):
            present.append(record_workflow(account, told, now))
    Workflow.objects.filter(pk__in=same).update(counted_at=now)
    account.workflows.filter(gone_at=None).exclude(pk__in=[row.pk for row in present]).update(
        gone_at=now
    )
    return present


def record_workflow(account: Account, told: types.Workflow, now: datetime) -> Workflow:
    """Writes one workflow, new or known."""
    facts = _facts_of_workflow(told)
    if told.counts is not None:
        facts["counted_at"] = now
    row, is_new = Workflow.objects.get_or_create(
        account=account,
        name=told.name,
        cloudflare_id=storable_facts(Workflow, {"cloudflare_id": told.id})["cloudflare_id"],
        defaults=facts | {"first_seen_at": now, "changed_at": now},
    )
    if told.counts is not None and (is_new or facts["counts"] != row.counts):
        CountsThen.objects.note(row.pk, facts["counts"], now)
    if is_new:
        return row
    if told.counts != row.counts or told.triggered_on != row.triggered_on or told.counts is None:
        facts["changed_at"] = now
    Workflow.objects.filter(pk=row.pk).update(**facts)
    row.refresh_from_db()
    return row


def record_versions(workflow: Workflow, listed: Iterable[types.Version], *, now: datetime) -> None:
    """Writes the versions of a workflow; earlier ones are kept."""
    for told in (version for version in listed if fits(Version, "version_id", version.id)):
        Version.objects.update_or_create(
            workflow=workflow,
            version_id=told.id,
            defaults=storable_facts(
                Version,
                {
                    "class_name": told.class_name,
                    "language": told.language,
                    "has_dag": told.has_dag,
                    "created_on": told.created_on,
                    "modified_on": told.modified_on,
                    "concurrency_limit": told.concurrency_limit,
                    "step_limit": told.step_limit,
                    "success_retention": str(told.success_retention or ""),
                    "error_retention": str(told.error_retention or ""),
                    "synced_at": now,
                },
            ),
        )
    Workflow.objects.filter(pk=workflow.pk).update(versions_at=now)


def record_graph(version: Version, told: types.Graph, *, now: datetime) -> None:
    """Writes the diagram of a version, or that it has none."""
    version.graph, version.graph_at = storable_json(told.graph), now
    Version.objects.filter(pk=version.pk).update(graph=version.graph, graph_at=now)


def _says(row: Workflow, facts: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in facts.items())


def _facts_of_workflow(told: types.Workflow) -> dict[str, Any]:
    """What a workflow list says, as columns."""
    facts: dict[str, Any] = {
        "class_name": told.class_name,
        "script_name": told.script_name,
        "created_on": told.created_on,
        "modified_on": told.modified_on,
        "triggered_on": told.triggered_on,
        "is_script_deleted": told.is_script_deleted,
        "schedules": [
            {
                "cron": schedule.cron,
                "next_instance": schedule.next_instance and schedule.next_instance.isoformat(),
            }
            for schedule in told.schedules
        ],
        "gone_at": None,
    }
    if told.counts is not None:
        facts["counts"] = told.counts
    return storable_facts(Workflow, facts)
