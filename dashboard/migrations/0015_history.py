import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone


def begin(apps, schema_editor):
    """History begins now: what Cloudflare counts is kept, and instances that are held already are
    counted later, in pieces (`models/history_past.py`): here it would take minutes."""
    alias = schema_editor.connection.alias
    workflows = apps.get_model('dashboard', 'Workflow').objects.using(alias).exclude(counted_at=None)
    apps.get_model('dashboard', 'CountsThen').objects.using(alias).bulk_create(
        [
            apps.get_model('dashboard', 'CountsThen')(
                workflow=one,
                counts=one.counts,
                counted_at=since,
                begins_at=since.replace(second=0, microsecond=0),
            )
            for one in workflows
            if one.counts is not None
            for since in [one.changed_at or one.counted_at]
        ],
        batch_size=100,
    )
    last = apps.get_model('dashboard', 'Instance').objects.using(alias).order_by('-pk').first()
    if last:
        apps.get_model('dashboard', 'UncountedPast').objects.using(alias).create(
            began_at=timezone.now(), last_pk=last.pk
        )


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0014_no_planned_stage'),
    ]

    operations = [
        migrations.CreateModel(
            name='UncountedPast',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('began_at', models.DateTimeField()),
                ('last_pk', models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name='tally',
            name='ended',
            field=models.BigIntegerField(default=0),
        ),
        migrations.CreateModel(
            name='CountsThen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begins_at', models.DateTimeField()),
                ('counts', models.JSONField()),
                ('counted_at', models.DateTimeField()),
                ('workflow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='counts_then', to='dashboard.workflow')),
            ],
            options={
                'indexes': [models.Index(fields=['workflow', '-counted_at'], name='counts_then_last')],
                'constraints': [models.UniqueConstraint(fields=('workflow', 'begins_at'), name='counts_then_once')],
            },
        ),
        migrations.CreateModel(
            name='WorkflowPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begins_on', models.DateTimeField()),
                ('version_id', models.CharField(default='', max_length=64)),
                ('created', models.BigIntegerField(default=0)),
                ('completed', models.BigIntegerField(default=0)),
                ('errored', models.BigIntegerField(default=0)),
                ('terminated', models.BigIntegerField(default=0)),
                ('durations', models.JSONField(default=dict)),
                ('workflow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='periods', to='dashboard.workflow')),
            ],
            options={
                'indexes': [models.Index(fields=['begins_on'], name='workflow_period_begins')],
                'constraints': [models.UniqueConstraint(fields=('workflow', 'begins_on', 'version_id'), name='workflow_period_once')],
            },
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
