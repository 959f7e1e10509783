"""Comparing the newest version of a workflow with the one before it, and keeping what was found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from dashboard.insight.version_watch import compare
from dashboard.models import history_figures
from dashboard.models.step_figures import StepFigures
from dashboard.models.workflow import Version, Workflow

#: What is older tells nothing of how a workflow goes now.
SINCE = timedelta(days=31)
#: Cloudflare's clock may be ahead of ours.
AHEAD = timedelta(hours=1)


class Went(NamedTuple):
    """How many instances were created, and how many failed."""

    number: int
    errored: int


def compare_newest(
    workflow: Workflow, steps: Mapping[tuple[str, str], StepFigures], now: datetime
) -> None:
    """Compares the newest version that has instances with the newest one before it that has some,
    and writes it down. `steps`: how they went, by version and step."""
    outcomes = outcomes_by_version(workflow, now)
    seen = [one for one in workflow.versions.newest_first() if one.version_id in outcomes]
    if len(seen) < 2:
        return
    new, old = (one.version_id for one in seen[:2])
    pairs = [
        (name, steps[old, name], figures)
        for (version_id, name), figures in steps.items()
        if version_id == new and (old, name) in steps
    ]
    found = compare(old, (outcomes[old], outcomes[new]), pairs)
    facts = {"comparison": found.as_json(), "compared_at": now}
    Version.objects.filter(pk=seen[0].pk).update(**facts)


def outcomes_by_version(workflow: Workflow, now: datetime) -> dict[str, Went]:
    """How the instances of each version went that began or ended in the last weeks."""
    found = history_figures.by_version(workflow.pk, now - SINCE, now + AHEAD)
    return {
        version_id: Went(sums.created, min(sums.created, sums.errored))
        for version_id, sums in found.items()
        if version_id and sums.created
    }
