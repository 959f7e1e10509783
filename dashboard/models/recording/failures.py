"""Counting a failure once, in the group of its cause."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest, Least

from dashboard.cloudflare.types import InstanceDetail
from dashboard.insight.fingerprint import VERSION, Failure, failure_of
from dashboard.models.error_group import ErrorGroup
from dashboard.models.instance import Instance
from dashboard.models.storing import storable_facts

#: Groups of one workflow: some authors write what no rule knows into each message.
MOST_GROUPS = 1_000
#: Where the causes beyond that are counted.
OTHERS = f"{VERSION}:others"
OTHERS_SAY = "All further causes of this workflow: its messages have too little in common."
#: Characters of a message that are kept as it was sent.
LONGEST_SAMPLE = 4_000
ADD_HOUR = """
    INSERT INTO dashboard_errorgrouphour (group_id, begins_on, version_id, count, last_seen_on)
    VALUES (%s, %s, %s, 1, %s)
    ON CONFLICT (group_id, begins_on, version_id) DO UPDATE SET
    count = dashboard_errorgrouphour.count + 1,
    last_seen_on = CASE WHEN excluded.last_seen_on > dashboard_errorgrouphour.last_seen_on
    THEN excluded.last_seen_on ELSE dashboard_errorgrouphour.last_seen_on END
"""


def count_failure(row: Instance, detail: InstanceDetail, now: datetime) -> None:
    """Puts an errored row into its group, and counts it there unless this start of it was counted.

    Call it within the transaction that holds the row and saves it: a row has a group exactly as
    long as its present start is counted.
    """
    failure = failure_of(detail) if row.error_group_id is None else None
    if failure is None:
        return
    failed_on = row.ended_on or row.modified_on or detail.read_on or now
    group = _group(row, failure, failed_on)
    newest = ErrorGroup.objects.filter(pk=group.pk)
    newest.filter(last_seen_on__lte=failed_on).update(**_sample(row, failure))
    newest.update(
        count=F("count") + 1,
        first_seen_on=Least("first_seen_on", failed_on),
        last_seen_on=Greatest("last_seen_on", failed_on),
    )
    hour = failed_on.replace(minute=0, second=0, microsecond=0)
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(ADD_HOUR, [group.pk, adapt(hour), row.version_id, adapt(failed_on)])
    row.error_group = group


def _group(row: Instance, failure: Failure, failed_on: datetime) -> ErrorGroup:
    """The group of this failure; made where it is the first."""
    groups = ErrorGroup.objects.filter(workflow=row.workflow_id)
    fingerprint = failure.fingerprint
    if known := groups.filter(fingerprint=fingerprint).first():
        return known
    facts = {
        "step_name": failure.normal_step,
        "error_name": failure.name,
        "message": failure.normal_message,
    }
    if groups.count() >= MOST_GROUPS:
        fingerprint, facts = OTHERS, {"message": OTHERS_SAY}
    facts |= _sample(row, failure)
    moments = {"first_seen_on": failed_on, "last_seen_on": failed_on}
    return groups.get_or_create(
        workflow=row.workflow,
        fingerprint=fingerprint,
        defaults=storable_facts(ErrorGroup, facts) | moments,
    )[0]


def _sample(row: Instance, failure: Failure) -> dict[str, str]:
    facts = {"sample": failure.message[:LONGEST_SAMPLE], "sample_instance": row.instance_id}
    return storable_facts(ErrorGroup, facts)
