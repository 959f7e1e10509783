"""How long instances went on from each step to their end: what tells when another one ends."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db.models.functions import Length

from dashboard.cloudflare.types import Status
from dashboard.insight import words
from dashboard.insight.percentiles import percentile
from dashboard.models.instance import InstanceDetail
from dashboard.models.step_figures import LARGEST_DETAIL
from dashboard.models.storing import storable
from dashboard.models.workflow import Version, Workflow

#: Of the newest complete instances so many are looked through, and so many of their details read.
NEWEST = 1_000
MOST_DETAILS = 100
#: Steps that are kept of one version, those that most passed.
MOST_STEPS = 200


def learn_remaining(workflow: Workflow) -> None:
    """Writes into each version that completed something how long its instances went on."""
    by_version: defaultdict[str, defaultdict[str, Counter[int]]]
    by_version = defaultdict(lambda: defaultdict(Counter))
    for detail in _details(workflow):
        row = detail.instance
        for step in detail.parse().steps:
            if step.name and step.start and row.ended_on and row.ended_on >= step.start:
                took = round((row.ended_on - step.start).total_seconds() * 1000)
                by_version[row.version_id][storable(words.name_of(step))][took] += 1
    for version_id, steps in by_version.items():
        most = sorted(steps.items(), key=lambda one: -one[1].total())[:MOST_STEPS]
        told = {
            name: [took.total(), percentile(took, 50), percentile(took, 90)] for name, took in most
        }
        Version.objects.filter(workflow=workflow, version_id=version_id).update(remaining=told)


def _details(workflow: Workflow) -> list[InstanceDetail]:
    """The last answers about the newest complete instances, of what they are complete of. An
    instance that was read while it went on tells as well when its steps had begun."""
    newest = workflow.instances.filter(status=Status.COMPLETE.value).newest_first()
    read = newest.values_list("pk", "generation", "read_at")[:NEWEST]
    generations = {pk: generation for pk, generation, read_at in read if read_at}
    held = InstanceDetail.objects.filter(pk__in=[*generations][:MOST_DETAILS])
    small = held.alias(size=Length("body")).filter(size__lte=LARGEST_DETAIL)
    found = small.select_related("instance")
    return [one for one in found if one.generation == generations[one.pk]]
