from django.db import migrations, models
from django.db.models.functions import Now

NOTE = "It was never written down in full, so it never began."
STAGES = [
    ("reading", "Being written down"),
    ("proposed", "Not begun"),
    ("running", "Running"),
    ("paused", "Paused"),
    ("halted", "Stopped itself"),
    ("stopped", "Stopped"),
    ("finished", "Finished"),
]


def end_what_never_began(apps, schema_editor):
    """Until now a crash could leave an operation on many half written down, and planned forever."""
    alias = schema_editor.connection.alias
    planned = apps.get_model("dashboard", "Operation").objects.using(alias).filter(stage="planned")
    items = apps.get_model("dashboard", "Item").objects.using(alias)
    items.filter(operation__in=planned, state="pending").update(
        state="skipped", note=f"Nothing was sent. {NOTE}", settled_at=Now()
    )
    apps.get_model("dashboard", "StageChange").objects.using(alias).filter(stage="planned").update(
        stage="running"
    )
    planned.update(stage="stopped", note=NOTE)
    # PostgreSQL changes no table while checks of it are put off.
    schema_editor.connection.check_constraints()


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0013_marks"),
    ]

    operations = [
        migrations.RunPython(end_what_never_began, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="operation",
            name="stage",
            field=models.CharField(choices=STAGES, default="finished", max_length=16),
        ),
        migrations.AlterField(
            model_name="stagechange",
            name="stage",
            field=models.CharField(choices=STAGES, max_length=16),
        ),
    ]
