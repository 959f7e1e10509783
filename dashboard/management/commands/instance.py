from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import Resolver404, resolve

from dashboard.api import instances
from dashboard.api.instance_shapes import OneInstance
from dashboard.management.shell import add_json, as_json, base, reader, sentences, table
from dashboard.models import Instance
from dashboard.models.storing import storable

#: As many steps as one answer has.
MOST_STEPS = 5000


class Command(BaseCommand):
    """One instance with its steps in a shell."""

    help = "Tells what an instance is doing and did; Cloudflare is asked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("instance", help="its id, or the address of its page")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences():
            address = _address(options["instance"])
            told = instances.one(reader(), address, (0, MOST_STEPS), base())
        self.stdout.write(as_json(told) if options["json"] else _in_words(told))


def _address(text: str) -> tuple[str, str, str]:
    """Account, workflow and id; raises CommandError where an id is not known, or not the only
    one."""
    try:
        match = resolve(urlsplit(text).path)
        if match.url_name == "instance":
            account_id, workflow_name, instance_id = match.kwargs.values()
            return account_id, workflow_name, instance_id
    except (Resolver404, ValueError):
        pass
    known = Instance.objects.with_workflow().filter(instance_id=storable(text))[:6]
    if not known:
        raise CommandError(f"No instance {text[:80]} is known here; give the address of its page.")
    if len(known) > 1:
        lines = [f"  {base()}{row.get_absolute_url()}" for row in known]
        raise CommandError("\n".join(["More than one has this id; say which:", *lines]))
    workflow = known[0].workflow
    return workflow.account.account_id, workflow.name, known[0].instance_id


def _in_words(told: OneInstance) -> str:
    detail = told.detail
    facts = [
        ("Instance", told.id),
        ("Workflow", f"{told.workflow} of {told.account}"),
        ("Status", told.status),
        ("Doing", detail.phase.text if detail else "never read"),
        ("Error", f"{told.error_name} {told.error_message}".strip()),
        ("As of", f"{told.told_at:%Y-%m-%d %H:%M:%S} UTC" if told.told_at else "never read"),
        ("Not current", told.failure),
        ("Page", told.href),
    ]
    parts = [table(("", ""), [(name, value) for name, value in facts if value]).lstrip("\n")]
    if detail and detail.steps:
        heading = ("#", "STATE", "TYPE", "STEP", "BEGAN", "ENDED", "TRIES", "ERROR")
        rows = [
            (
                *(step.index, step.state, step.type, step.name, step.start, step.end),
                len(step.attempts) or "",
                step.error.message if step.error else "",
            )
            for step in detail.steps
        ]
        parts.append(table(heading, rows))
    return "\n\n".join(parts)
