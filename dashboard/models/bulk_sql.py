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
ROW_SQLITE = f"({', '.join(['%s'] * len(COLUMNS))}, {', '.join(SAME.values())})"
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
#: How `GLANCE` marks any other row, where it says when a row was seen.
NOT_PLAIN = "-"
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
#: Column by column, each as one text: id, key, when it was seen, and what `TOLD` takes of a list.
GLANCE = "SELECT {columns} FROM dashboard_instance WHERE workflow_id = %s AND instance_id {among}"
#: When an unfinished plain row was seen; "" for a finished one.
SEEN_AT = (
    f"CASE WHEN NOT ({PLAIN}) THEN '{NOT_PLAIN}' "
    f"WHEN status IN ({', '.join(repr(word) for word in sorted(FINISHED_WORDS))}) THEN '' "
    "ELSE {seen_at} END"
)
WORDS = ("status", "version_id", "trigger")
GLANCE_SQLITE = GLANCE.format(
    columns=", ".join(
        f"group_concat({column}, char(31))"
        for column in (
            *("instance_id", "id", SEEN_AT.format(seen_at="seen_at"), *WORDS),
            *(f"coalesce({name}, '')" for name in MOMENTS),
        )
    ),
    among=AMONG_SQLITE,
)
GLANCE_POSTGRES = GLANCE.format(
    columns=", ".join(
        f"string_agg({column}, chr(31))"
        for column in (
            *("instance_id", "id::text"),
            SEEN_AT.format(seen_at=f"to_char(seen_at, {AS_SQLITE})"),
            *WORDS,
            *(f"coalesce(to_char({name}, {AS_SQLITE}), '')" for name in MOMENTS),
        )
    ),
    among=AMONG_POSTGRES,
)
#: As many values as one statement of any SQLite may hold.
AT_ONCE = 900
#: The same words of a row as a list sends it.
TOLD = itemgetter(
    "status", "version_id", "trigger_source",
    "created_on", "modified_on", "started_on", "ended_on",
)  # fmt: skip
