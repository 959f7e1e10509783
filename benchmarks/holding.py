"""Rows that the table holds already, made by the database itself: a million in a minute or two.

Of the same shape and mix as those of `api.rows`: one each 2.6 s, newest first.
"""

from __future__ import annotations

from django.db import connection

from benchmarks.api import APART, NEWEST
from benchmarks.floor import REST
from dashboard.models import Workflow, tallies

SECONDS = APART.total_seconds()
STATUS = (
    "CASE WHEN {chance} < 950 THEN 'complete' WHEN {chance} < 976 THEN 'errored' "
    "WHEN {chance} < 981 THEN 'terminated' WHEN {chance} < 989 THEN 'running' "
    "WHEN {chance} < 995 THEN 'waiting' ELSE 'queued' END"
)
COLUMNS = (
    "workflow_id, instance_id, status, version_id, trigger, created_on, modified_on, started_on, "
    f"ended_on, {', '.join(REST)}"
)
INSERT = (
    f"INSERT INTO dashboard_instance ({COLUMNS}) "
    "SELECT {first} + number / 1000 %% {workflows}, {id}, status, {version}, 'binding', "
    "{created}, {ended}, CASE WHEN status <> 'queued' THEN {created} END, "
    "CASE WHEN status IN ('complete', 'errored', 'terminated') THEN {ended} END, "
    f"{', '.join(REST.values())} "
    "FROM (SELECT number, {status} AS status FROM ({numbers}) AS numbers) AS rows"
)
HEX = "lower(hex(randomblob({})))"
SQLITE = INSERT.replace("{id}", " || '-' || ".join(HEX.format(n) for n in (4, 2, 2, 2, 6))).format(
    first="{first}",
    workflows="{workflows}",
    version="'00000000-0000-4000-8000-0000000000' || (10 + number % 20)".replace("%", "%%"),
    created=f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', '{NEWEST:%Y-%m-%d}', "
    f"(-number * {SECONDS}) || ' seconds') || '000'",
    ended=f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', '{NEWEST:%Y-%m-%d}', "
    f"(60 - number * {SECONDS}) || ' seconds') || '000'",
    status=STATUS.format(chance="(number * 7919 %% 1000)"),
    numbers="WITH RECURSIVE counted(number) AS (SELECT %s UNION ALL "
    "SELECT number + 1 FROM counted WHERE number + 1 < %s) SELECT number FROM counted",
)
POSTGRES = INSERT.format(
    first="{first}",
    workflows="{workflows}",
    id="gen_random_uuid()::text",
    version="'00000000-0000-4000-8000-0000000000' || (10 + number %% 20)",
    created=f"timestamptz '{NEWEST.isoformat()}' - number * interval '{SECONDS} s'",
    ended=f"timestamptz '{NEWEST.isoformat()}' + (60 - number * {SECONDS}) * interval '1 s'",
    status=STATUS.format(chance="(number * 7919 %% 1000)"),
    numbers="SELECT generate_series(%s::bigint, %s::bigint - 1) AS number",
)


def hold(crowd: list[Workflow], have: int, wanted: int) -> None:
    """Adds to the `have` rows that these workflows hold as many as are missing."""
    statement = SQLITE if connection.vendor == "sqlite" else POSTGRES
    with connection.cursor() as cursor:
        if wanted > have:
            filled = statement.format(first=crowd[0].pk, workflows=len(crowd))
            cursor.execute(filled, [have, wanted])
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    for workflow in crowd:
        tallies.recount(workflow.pk)
