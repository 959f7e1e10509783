import json
import zlib

import django.db.models.deletion
from django.db import migrations, models

from dashboard.cloudflare import parsing
from dashboard.models.search_text import searchable

PIECE = 500


def fill(apps, schema_editor):
    """What can be searched of the details that are held already."""
    alias = schema_editor.connection.alias
    details = apps.get_model("dashboard", "InstanceDetail").objects.using(alias)
    search_text = apps.get_model("dashboard", "SearchText")
    last = 0
    while piece := list(details.filter(pk__gt=last).order_by("pk")[:PIECE]):
        search_text.objects.using(alias).bulk_create(
            search_text(instance_id=kept.pk, **searchable(_parse(kept))) for kept in piece
        )
        last = piece[-1].pk


def _parse(kept):
    result = json.loads(zlib.decompress(bytes(kept.body)))
    return parsing.instance_detail(result, outputs_are_text=kept.outputs_are_text)


class Migration(migrations.Migration):
    """The indexes over it are made after each `migrate`: see models/search_index.py."""

    dependencies = [
        ('dashboard', '0007_last_seconds'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchText',
            fields=[
                ('instance', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='search_text', serialize=False, to='dashboard.instance')),
                ('error', models.TextField(default='')),
                ('steps', models.TextField(default='')),
                ('body', models.TextField(default='')),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
