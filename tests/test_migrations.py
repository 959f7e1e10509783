"""An upgrade drops nobody: after `migrate`, the processes of the version before go on working.

From the first migration that was written under this rule on, each may only add what an older
process need not know: tables, indexes, and columns that are empty or filled by the database.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

import dashboard.migrations

#: Up to here nobody had it in service.
BEFORE = 19
#: Nothing but what a form offers: no database knows of it.
ONLY_CHOICES = {("0020_access", "role")}
ADDS = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RunPython,
    migrations.SeparateDatabaseAndState,
)
#: Changes of the code's idea of a column that change nothing an older process relies on.
WIDENS = (migrations.AlterModelManagers, migrations.AlterModelOptions)


def numbered() -> Iterator[str]:
    for path in sorted(Path(dashboard.migrations.__file__).parent.glob("[0-9]*.py")):
        if int(path.stem[:4]) > BEFORE:
            yield path.stem


def harms(operation: Operation) -> str:
    """What would break an older process; empty for nothing."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if field.null or field.many_to_many or field.db_default is not NOT_PROVIDED:
            return ""
        return "it writes rows without this column: let it be null, or give it a db_default"
    if isinstance(operation, migrations.AddConstraint):
        return "it may write rows that the constraint refuses; add it one version later"
    if isinstance(operation, migrations.AlterField):
        return "" if operation.field.null else "it may write what no longer fits"
    if isinstance(operation, ADDS + WIDENS):
        return ""
    return "it still uses what this takes away; do that one version later"


def test_all_migrations_stand_in_one_line() -> None:
    names = [path.stem for path in Path(dashboard.migrations.__file__).parent.glob("[0-9]*.py")]

    assert sorted(int(name[:4]) for name in names) == list(range(1, len(names) + 1))


@pytest.mark.parametrize("name", [*numbered()])
def test_an_older_version_lives_with_what_a_migration_changes(name: str) -> None:
    migration = importlib.import_module(f"dashboard.migrations.{name}").Migration

    for operation in migration.operations:
        if (name, getattr(operation, "name", "")) in ONLY_CHOICES:
            continue
        assert not harms(operation), f"{name}: {operation.describe()}: {harms(operation)}"


@pytest.mark.parametrize(
    ("operation", "is_harmless"),
    [
        (migrations.AddField("instance", "a", models.TextField(null=True)), True),
        (migrations.AddField("instance", "a", models.TextField(db_default="")), True),
        (migrations.AddField("instance", "a", models.TextField(default="")), False),
        (migrations.RemoveField("instance", "status"), False),
        (migrations.RenameField("instance", "status", "state"), False),
        (migrations.DeleteModel("Instance"), False),
        (migrations.AlterField("instance", "status", models.IntegerField()), False),
    ],
)
def test_what_harms_an_older_version_is_told_from_what_does_not(
    operation: Operation, is_harmless: bool
) -> None:
    assert (harms(operation) == "") is is_harmless
