"""What failing instances of a group have in common against completed ones, from what is held here.

A bounded part of each is looked at, the newest: rows for version, trigger and time, and kept
details for params.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Length

from dashboard.cloudflare.types import Status
from dashboard.insight.contrast import (
    Feature,
    Trait,
    contrast,
    most_telling,
    params_features,
    row_features,
)
from dashboard.models.error_group import ErrorGroup
from dashboard.models.instance import Instance, InstanceDetail

ROWS = 500
DETAILS = 150
#: Bytes of one packed detail: what is longer is mostly outputs, and slow to read.
LONGEST = 64_000


@dataclass(frozen=True)
class Contrast:
    """What tells them apart, and how many of each were compared: rows, and params among them."""

    traits: list[Trait]
    failing: int
    completed: int
    failing_params: int
    completed_params: int


def contrast_of(group: ErrorGroup, members: list[int]) -> Contrast:
    """The group's failing instances against completed ones of its workflow."""
    failing = [
        pk for member in members for pk in _newest(Instance.objects.filter(error_group=member))
    ]
    failing = sorted(failing, reverse=True)[:ROWS]
    completed = _newest(Instance.objects.filter(workflow=group.workflow_id, status=Status.COMPLETE))
    rows = _rows(failing), _rows(completed)
    params = _params(failing), _params(completed)
    traits = most_telling(contrast(*rows), contrast(*params))
    return Contrast(traits, *map(len, rows), *map(len, params))


def _newest(instances: QuerySet[Instance]) -> list[int]:
    newest = instances.order_by("-created_on", "-pk")
    return [*newest.values_list("pk", flat=True)[:ROWS]]


def _rows(keys: list[int]) -> list[set[Feature]]:
    told = Instance.objects.filter(pk__in=keys)
    return [row_features(*row) for row in told.values_list("version_id", "trigger", "created_on")]


def _params(keys: list[int]) -> list[set[Feature]]:
    held = InstanceDetail.objects.filter(instance__in=keys).alias(size=Length("body"))
    short = held.filter(size__lte=LONGEST).order_by("-instance__created_on", "-pk")[:DETAILS]
    parsed = (detail.parse() for detail in short.iterator(chunk_size=20))
    return [params_features(told.params) for told in parsed if not told.is_params_truncated]
