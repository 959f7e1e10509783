"""A healthy account, watched as time goes on, and whatever is said against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from dashboard.insight.group_state import GroupState
from dashboard.models import Instance, Version
from dashboard.models.group_figures import figures, heads_seen
from tests.alerts.watch import Watch

HOUR = timedelta(hours=1)


@dataclass
class Totals:
    """Workflow and step, version, or group of whatever was called stuck, worse or growing."""

    stuck: set[tuple[str, str]] = field(default_factory=set)
    worse: set[tuple[str, str]] = field(default_factory=set)
    growing: set[tuple[str, str]] = field(default_factory=set)

    def note(self, watch: Watch) -> None:
        """What is said now."""
        stuck = Instance.objects.stuck().order_by()
        self.stuck |= {*stuck.values_list("workflow__name", "current_step").distinct()}
        versions = Version.objects.select_related("workflow").exclude(comparison=None)
        compared = ((one, one.compared) for one in versions)
        self.worse |= {
            (one.workflow.name, one.version_id) for one, told in compared if told and told.worse
        }
        now = watch.clock()
        groups = figures(heads_seen(now - HOUR), since=now - HOUR, now=now)
        self.growing |= {
            (one.group.workflow.name, one.group.title)
            for one in groups
            if one.state is GroupState.GROWING
        }
