"""The statements of `bulk` and `bulk_insert`, for each database.

Rows travel as one text, which Python and both databases read fastest, with control characters
between them: no word of a row holds any.
"""

from __future__ import annotations

from operator import itemgetter

from dashboard.cloudflare.types import FINISHED
from dashboard.models.instance import Instance

#: What stands between two values that travel as one text, and what stands for none.
NEXT, NONE = "\x1f", "\x1e"
COLUMNS = {
    "instance_id": "text",
    "status": "text",
    "version_id": "text",
    "trigger": "text",
    "created_on": "timestamptz",
    "modified_on": "timestamptz",
    "started_on": "timestamptz",
    "ended_on": "timestamptz",
    "duration_ms": "bigint",
    "is_listed": "boolean",
}
#: What is the same for all new rows stands in the statement: binding it a thousand times is slow.
SAME = {"workflow_id": "{workflow_id:d}", "seen_at": "'{now}'", "status_seen_at": "'{now}'"}
SAME |= {
    field.attname: f"'{field.default}'"
    for field in Instance._meta.fields
    if field.has_default() and field.attname not in COLUMNS
}
INSERT = (
    f"INSERT INTO dashboard_instance ({', '.join([*COLUMNS, *SAME])}) "
    "{} ON CONFLICT (workflow_id, instance_id) DO NOTHING"
)
#: In SQLite the rows wait in a table that is only for this: each statement that adds to the table
#: of instances costs the search index half a millisecond, however few rows it adds.
WAITING_SQLITE = (
    f"CREATE TEMP TABLE IF NOT EXISTS told ({', '.join(COLUMNS)})",
    "DELETE FROM told",
)
WAIT_SQLITE = "INSERT INTO told VALUES ({})".format(  # noqa: S608 -- marks only
    ", ".join(["%s"] * len(COLUMNS))
)
INSERT_SQLITE = INSERT.format(
    "SELECT "  # noqa: S608 -- names of columns only
    + ", ".join([*COLUMNS, *SAME.values()])
    + " FROM told WHERE true"
)
#: The first row is none: PostgreSQL makes an array without elements of an empty text.
INSERT_POSTGRES = INSERT.format(
    "SELECT "  # noqa: S608 -- names of columns only
    + ", ".join([*(f"{name}::{kind}" for name, kind in COLUMNS.items()), *SAME.values()])
    + " FROM unnest("
    + ", ".join(["string_to_array(%s, chr(31), chr(30))"] * len(COLUMNS))
    + f") AS told ({', '.join(COLUMNS)}) WHERE status IS NOT NULL"
)
#: A row that Cloudflare still has, as lists know it: only such a one can say what a list says.
PLAIN = "is_listed AND expired_at IS NULL AND left_at IS NULL"
SELECT = (
    "SELECT instance_id, id, {seen_at}, {plain}, status, version_id, trigger, {moments} "
    "FROM dashboard_instance WHERE workflow_id = %s AND instance_id {among}"
)
MOMENTS = ("created_on", "modified_on", "started_on", "ended_on")
AMONG_SQLITE = "IN (SELECT value FROM json_each(%s))"
AMONG_POSTGRES = "= ANY(string_to_array(%s, chr(31)))"
AS_SQLITE = "'YYYY-MM-DD HH24:MI:SS.US'"
SELECT_SQLITE = SELECT.format(
    plain=PLAIN,
    seen_at="seen_at || ''",  # An expression: the column itself would come as a datetime.
    moments=", ".join(f"{name} || '+00:00'" for name in MOMENTS),
    among=AMONG_SQLITE,
)
SELECT_POSTGRES = SELECT.format(
    plain=PLAIN,
    seen_at=f"to_char(seen_at, {AS_SQLITE})",
    moments=", ".join(f"to_char({name}, {AS_SQLITE}) || '+00:00'" for name in MOMENTS),
    among=AMONG_POSTGRES,
)
FINISHED_WORDS = frozenset(status.value for status in FINISHED)
#: The same words of a row as a list sends it, and how they are put into one text.
TOLD = itemgetter(
    "status", "version_id", "trigger_source",
    "created_on", "modified_on", "started_on", "ended_on",
)  # fmt: skip
TEXT = NEXT.join(["%s"] * 7)
#: Each database's text of a moment, in UTC, from Cloudflare's: what is replaced, one after another.
AS_HELD = {
    "sqlite": (("T", " "), (".000Z", ""), ("Z", "000")),
    "postgresql": (("T", " "), (".000Z", "+00"), ("00Z", "+00"), ("0Z", "+00"), ("Z", "+00")),
}
#: All rows in three texts with a line for each: the id; what it says, as `TEXT` puts it, "" of one
#: that is not plain; key and `seen_at` of an unfinished one, "" of a finished one.
GLANCE = (
    "SELECT {lines}(instance_id, {line}), "  # noqa: S608 -- words of this module only
    f"{{lines}}(CASE WHEN {PLAIN} THEN {{said}} ELSE '' END, {{line}}), "
    f"{{lines}}(CASE WHEN status IN ({', '.join(repr(word) for word in sorted(FINISHED_WORDS))}) "
    "THEN '' ELSE id || ' ' || {seen_at} END, {line}) FROM {rows} AND workflow_id = %s"
)
GLANCE_SQLITE = GLANCE.format(
    lines="group_concat",
    line="char(10)",
    said=f"printf('{TEXT.replace('%', '%%')}', status, version_id, trigger, "
    + ", ".join(f"ifnull({name}, 'None')" for name in MOMENTS)
    + ")",
    seen_at="seen_at",
    rows=f"dashboard_instance WHERE instance_id {AMONG_SQLITE}",
)
#: Joined, not `= ANY`, which sorts the ids first.
GLANCE_POSTGRES = GLANCE.format(
    lines="string_agg",
    line="chr(10)",
    said="concat_ws(chr(31), status, version_id, trigger, "
    + ", ".join(f"coalesce({name}::text, 'None')" for name in MOMENTS)
    + ")",
    seen_at=f"to_char(seen_at, {AS_SQLITE})",
    rows="unnest(string_to_array(%s, chr(31))) AS told (name), dashboard_instance "
    "WHERE instance_id = told.name",
)
#: As many values as one statement of any SQLite may hold.
AT_ONCE = 900
