"""Versions of a workflow as its page shows them: with their part of the newest instances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dashboard.insight.durations import duration, short
from dashboard.insight.version_watch import Measure
from dashboard.models import Version, Workflow
from dashboard.models.activity import Share
from dashboard.views.activity import Activity


@dataclass
class VersionRow:
    """A version, and its share once somebody asks."""

    row: Version
    activity: Activity

    @property
    def share(self) -> Share | None:
        return self.activity.shares.get(self.row.version_id)

    @cached_property
    def worse(self) -> list[Measure]:
        """In what it does worse than the version before."""
        compared = self.row.compared
        return compared.worse if compared else []

    @property
    def success_retention(self) -> str:
        return in_words(self.row.success_retention)

    @property
    def error_retention(self) -> str:
        return in_words(self.row.error_retention)


def versions_of(workflow: Workflow, activity: Activity) -> list[VersionRow]:
    """Those that are known, the newest first."""
    found = list(workflow.versions.newest_first())
    for version in found:
        version.workflow = workflow
    return [VersionRow(version, activity) for version in found]


def in_words(retention: str) -> str:
    """A retention as people say it; one that cannot be read stays as Cloudflare sent it."""
    found = duration(retention)
    return short(found) if found is not None else retention
