import django.db.models.deletion
from django.db import migrations, models

#: Instances that are held already are counted once, here.
COUNT = """
    INSERT INTO dashboard_tally (workflow_id, status, held, live)
    SELECT workflow_id, status, count(*), sum(CASE WHEN expired_at IS NULL THEN 1 ELSE 0 END)
    FROM dashboard_instance GROUP BY workflow_id, status
"""


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0004_progress'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=32)),
                ('held', models.BigIntegerField(default=0)),
                ('live', models.BigIntegerField(default=0)),
                ('workflow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='dashboard.workflow')),
            ],
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.UniqueConstraint(fields=('workflow', 'status'), name='tally_once'),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='instance',
            name='hint',
            field=models.CharField(default='', max_length=32),
        ),
    ]
