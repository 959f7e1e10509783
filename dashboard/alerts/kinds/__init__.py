"""The kinds of rules: a module for each, with what a person can set and a pure evaluation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from dashboard.alerts.kinds.bad_version import BadVersion
from dashboard.alerts.kinds.base import Firing, Kind, Store
from dashboard.alerts.kinds.budget_low import BudgetLow
from dashboard.alerts.kinds.failure_rate import FailureRate
from dashboard.alerts.kinds.new_group import NewGroup
from dashboard.alerts.kinds.not_triggered import NotTriggered
from dashboard.alerts.kinds.queue_growing import QueueGrowing
from dashboard.alerts.kinds.stuck import Stuck
from dashboard.alerts.kinds.sync_stale import SyncStale

__all__ = ["KINDS", "Firing", "Kind", "Store", "kind_of"]

OFFERED: tuple[type[Kind], ...] = (
    FailureRate, NewGroup, BadVersion, Stuck, NotTriggered, QueueGrowing, SyncStale, BudgetLow,
)  # fmt: skip
KINDS = {kind.NAME: kind for kind in OFFERED}


def kind_of(name: str, terms: Mapping[str, Any]) -> Kind:
    """The kind with what was set of it; what is no longer known of is left out.

    Raises KeyError for a kind that there is not.
    """
    kind = KINDS[name]
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in terms.items() if key in known})
