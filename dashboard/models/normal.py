"""How long each step usually takes, and each workflow's queue: what instances are held to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import models
from django.db.models import Q

from dashboard.cloudflare.types import base_name
from dashboard.insight.overdue import Row, is_known_enough
from dashboard.insight.percentiles import percentile
from dashboard.insight.phase import PhaseKind
from dashboard.insight.standing import Standing
from dashboard.models.instance import Instance
from dashboard.models.storing import LARGEST, storable_facts
from dashboard.models.workflow import Workflow

#: Stands for all versions together.
ALL = ""
#: The wait for a free slot, which comes before any step.
QUEUE = ""
#: By version and step.
Key = tuple[str, str]


class StepNormal(models.Model):
    """How long one step of one version took when it succeeded, in ms, of `n` of the last weeks.

    `version_id` ALL: of all versions together. `step_name` is the author's; QUEUE: how long
    instances waited for a slot. `as_of`: when it was worked out.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="normals")
    version_id = models.CharField(max_length=64, default=ALL)
    step_name = models.CharField(max_length=255)
    n = models.PositiveBigIntegerField()
    p50 = models.BigIntegerField()
    p95 = models.BigIntegerField()
    p99 = models.BigIntegerField()
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "step_name", "version_id"], name="step_normal_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.step_name} of {self.version_id or 'all versions'}"

    @classmethod
    def of(cls, workflow: Workflow, key: Key, took: Mapping[int, int], now: datetime) -> StepNormal:
        """From how many took so many milliseconds; `took` is not empty."""
        version_id, step_name = key
        p50, p95, p99 = (min(percentile(took, percent) or 0, LARGEST) for percent in (50, 95, 99))
        facts = storable_facts(cls, {"version_id": version_id, "step_name": step_name})
        number = sum(took.values())
        return cls(workflow=workflow, n=number, p50=p50, p95=p95, p99=p99, as_of=now, **facts)


class Normals:
    """Those of some workflows, to be asked for rows. The step's own version comes first; where too
    few of it are known, all versions together."""

    def __init__(self, normals: Iterable[StepNormal]) -> None:
        self._by_place: defaultdict[int, dict[Key, StepNormal]] = defaultdict(dict)
        for one in normals:
            self._by_place[one.workflow_id][one.version_id, one.step_name] = one

    def of(self, workflow: int, version_id: str, step_name: str) -> StepNormal | None:
        """The one to hold a step to; None where too few are known."""
        known = self._by_place[workflow]
        for version in (version_id, ALL):
            found = known.get((version, step_name))
            if is_known_enough(found):
                return found
        return None

    def of_row(self, row: Row) -> StepNormal | None:
        """The one of the step that the row stands in, or of its queue. The row keeps a name that
        may bear Cloudflare's counter."""
        if row.phase == PhaseKind.QUEUED:
            return self.of(row.workflow_id, row.version_id, QUEUE)
        if not row.current_step or row.phase == PhaseKind.ROLLING_BACK:
            return None
        exact = self.of(row.workflow_id, row.version_id, row.current_step)
        return exact or self.of(row.workflow_id, row.version_id, base_name(row.current_step))

    @classmethod
    def of_rows(cls, rows: Iterable[Row]) -> Normals:
        """Those that these rows are held to, in one query; none for none."""
        rows = list(rows)
        if not rows:
            return cls([])
        names = {name for row in rows for name in (row.current_step, base_name(row.current_step))}
        found = StepNormal.objects.filter(workflow__in={row.workflow_id for row in rows})
        versions = {ALL, *(row.version_id for row in rows)}
        return cls(found.filter(step_name__in={QUEUE, *names}, version_id__in=versions))


def normal_of(row: Instance, told: Standing) -> StepNormal | None:
    """What an instance that stands so is held to; None where that is something else."""
    is_queued = told.phase == PhaseKind.QUEUED
    is_in_step = told.base_name and told.phase in {
        PhaseKind.RUNNING, PhaseKind.PAUSING, PhaseKind.RETRYING,
    }  # fmt: skip
    if not is_queued and not is_in_step:
        return None
    name = QUEUE if is_queued else told.base_name
    facts = storable_facts(StepNormal, {"step_name": name})
    known = StepNormal.objects.filter(
        Q(version_id=row.version_id) | Q(version_id=ALL), workflow=row.workflow_id, **facts
    )
    return Normals(known).of(row.workflow_id, row.version_id, facts["step_name"])


def with_totals(took: Mapping[Key, Counter[int]]) -> dict[Key, Counter[int]]:
    """The same, and all versions of each step together."""
    found = {key: counts for key, counts in took.items() if key[0] != ALL}
    for (_, step_name), counts in took.items():
        found.setdefault((ALL, step_name), Counter()).update(counts)
    return found
