"""Since when an incident's cause is there, and failures that were read before they were grouped."""

import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import F


def begin_when_opened(apps, schema_editor):
    apps.get_model("dashboard", "AlertIncident").objects.update(began_at=F("opened_at"))


def begin_with_ungrouped(apps, schema_editor):
    """They are grouped later, in pieces (`models/group_past.py`): here it would take minutes."""
    instances = apps.get_model("dashboard", "Instance").objects
    read = instances.filter(status="errored", error_group=None, read_at__isnull=False)
    if last := read.order_by("-pk").first():
        apps.get_model("dashboard", "UngroupedPast").objects.create(last_pk=last.pk)


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0021_api_token")]

    operations = [
        migrations.AddField(
            model_name="alertincident",
            name="began_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.RunPython(begin_when_opened, migrations.RunPython.noop),
        migrations.CreateModel(
            name="UngroupedPast",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_pk", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(begin_with_ungrouped, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="errorgrouphour",
            index=models.Index(
                fields=["group", "begins_on", "count"], name="error_group_hour_counts"
            ),
        ),
    ]
