from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F


def expect(apps, schema_editor):
    """What ends by its own clock is held to it; what is at work is read again, which tells since
    when."""
    rows = apps.get_model("dashboard", "Instance").objects.using(schema_editor.connection.alias).filter(expired_at=None)
    due = rows.filter(due_on__isnull=False, phase__in=["sleeping", "retrying", "waiting-for-event"])
    due.update(expected_by=F("due_on") + timedelta(minutes=5))
    at_work = rows.filter(phase__in=["running", "pausing", "queued"], read_at__isnull=False)
    at_work.update(expected_by=F("read_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0016_error_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="StepNormal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version_id", models.CharField(default="", max_length=64)),
                ("step_name", models.CharField(max_length=255)),
                ("n", models.PositiveBigIntegerField()),
                ("p50", models.BigIntegerField()),
                ("p95", models.BigIntegerField()),
                ("p99", models.BigIntegerField()),
                ("as_of", models.DateTimeField()),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="normals",
                        to="dashboard.workflow",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workflow", "step_name", "version_id"), name="step_normal_once"
                    )
                ],
            },
        ),
        migrations.AddField("workflow", "normals_at", models.DateTimeField(null=True)),
        migrations.AddField("workflow", "normals_through", models.BigIntegerField(null=True)),
        migrations.AddField("version", "comparison", models.JSONField(null=True)),
        migrations.AddField("version", "remaining", models.JSONField(default=dict)),
        migrations.AddField("version", "compared_at", models.DateTimeField(null=True)),
        migrations.AddField("instance", "at_work_on", models.DateTimeField(null=True)),
        migrations.AddField("instance", "expected_by", models.DateTimeField(null=True)),
        migrations.RunPython(expect, migrations.RunPython.noop),
        migrations.RemoveIndex("instance", "instance_due"),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["due_on", "workflow", "phase"],
                condition=models.Q(due_on__isnull=False, expired_at=None),
                name="instance_wakes",
            ),
        ),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["workflow", "due_on", "phase"],
                condition=models.Q(due_on__isnull=False, expired_at=None),
                name="instance_workflow_wakes",
            ),
        ),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["-created_on", "-id"],
                condition=models.Q(expected_by__lt=F("read_at"), expired_at=None),
                name="instance_stuck",
            ),
        ),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["read_at"],
                condition=models.Q(expected_by__lt=F("read_at"), expired_at=None),
                name="instance_stuck_read",
            ),
        ),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["expected_by"],
                condition=models.Q(expected_by__gte=F("read_at"), expired_at=None),
                name="instance_late",
            ),
        ),
        migrations.AddIndex(
            "instance",
            models.Index(
                fields=["workflow", "id"],
                condition=models.Q(at_work_on__isnull=False),
                name="instance_at_work",
            ),
        ),
    ]
