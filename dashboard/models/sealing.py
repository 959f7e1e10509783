"""What people did is neither changed nor deleted: the database itself refuses it.

The application never tries to (`models/kept.py`); this is for a mistake of its own, and for whoever
writes SQL by hand. Who owns the tables can drop these triggers, and then has left a trace in the
schema. `ensure` makes them after each `migrate`, for a migration of SQLite makes a table anew and
loses its triggers.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connections

from dashboard.models.operation import SETTLED_STATES, Stage

WORDS = "What people did is kept for good."
SETTLED = ", ".join(f"'{state.value}'" for state in SETTLED_STATES)
FUNCTION = f"""
    CREATE OR REPLACE FUNCTION dashboard_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


class Seal(NamedTuple):
    """What is refused of a table: an event, and where it depends on the row, a condition."""

    name: str
    table: str
    refused: str
    when: str = ""


SEALS = (
    Seal("sealed_operation", "dashboard_operation", "DELETE"),
    Seal(
        "sealed_operation_asked",
        "dashboard_operation",
        "UPDATE OF id, key, kind, workflow_id, arguments, reason, requested_by_id, requested_at, "
        "token_name, is_bulk, retry_of_id, list_query, stop_above",
        # What a batch asks for is counted while it is written down, before anybody says yes.
        f"old.stage <> '{Stage.READING.value}'",
    ),
    Seal("sealed_item", "dashboard_item", "DELETE"),
    Seal(
        "sealed_item_asked",
        "dashboard_item",
        "UPDATE OF id, operation_id, workflow_id, instance_id, wave, seen_generation",
    ),
    Seal("sealed_item_settled", "dashboard_item", "UPDATE", f"old.state IN ({SETTLED})"),
    Seal("sealed_change", "dashboard_stagechange", "DELETE"),
    Seal("sealed_change_told", "dashboard_stagechange", "UPDATE"),
    Seal(
        "sealed_decision_told",
        "dashboard_decision",
        "UPDATE OF id, kind, reason, version_id, until_at, per_hour, further, counted, "
        "decided_by_id, decided_at",
    ),
)


def ensure(alias: str) -> None:
    """Makes the triggers in this database where they are missing."""
    connection = connections[alias]
    tables = set(connection.introspection.table_names())
    does = f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    there = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute(FUNCTION)
            does = "EXECUTE FUNCTION dashboard_sealed()"
            there = "SELECT tgname FROM pg_trigger"
        cursor.execute(there)
        made = {name for (name,) in cursor.fetchall()}
        for seal in SEALS:
            if seal.table in tables and seal.name not in made:
                when = f"WHEN ({seal.when})" if seal.when else ""
                cursor.execute(
                    f"CREATE TRIGGER {seal.name} BEFORE {seal.refused} ON {seal.table} "
                    f"FOR EACH ROW {when} {does}"
                )
