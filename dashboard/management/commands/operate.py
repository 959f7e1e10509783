from __future__ import annotations

import time
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from dashboard import connection, operations
from dashboard.api import acting
from dashboard.api.operation_shapes import AskMany, Chosen, OneOperation, PlanTold
from dashboard.api.operations import existing, told
from dashboard.cloudflare import Client, Lane, Spender
from dashboard.management.shell import add_json, as_json, base, sentences, table, user_named
from dashboard.models import User
from dashboard.models.operation import SETTLED_STATES, State

#: Seconds between two looks at how far it has come.
PAUSE = 1.0
BAD = {State.FAILED.value, State.LOST.value}


class Command(BaseCommand):
    """An operation on many from a shell: shown, asked for, and watched to its end."""

    help = (
        "Acts on all instances that a search finds, after it has shown what that would do. Ends "
        "with 1 when something failed or it did not come to its end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[kind.value for kind in operations.BULK_KINDS])
        parser.add_argument("q", nargs="+", help="as in the search box, such as status:errored")
        parser.add_argument("--user", required=True, help="in whose name it is asked")
        parser.add_argument("--reason", default="", help="kept with the name")
        parser.add_argument("--rollback", action="store_true", help="terminate: undo steps first")
        parser.add_argument("--event-type", default="")
        parser.add_argument("--yes", action="store_true", help="begin without asking")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["user"])
        if why_not := operations.refusal_for_user(user):
            raise CommandError(why_not)
        names = ("kind", "reason", "rollback", "event_type")
        asked: dict[str, Any] = {name: options[name] for name in names}
        asked["q"] = " ".join(options["q"])
        with sentences():
            plan = acting.planned(user, Chosen(**asked), base())
            self.stderr.write(_in_words(plan))
            if plan.why_not:
                raise CommandError(plan.why_not)
            if not options["yes"]:
                _ask(plan)
            wanted = AskMany(**asked, newest=plan.newest, expected_count=plan.acted_on)
            begun = acting.begin(user, wanted, str(uuid.uuid4()), base())
        try:
            ended = _watched(user, begun)
        except KeyboardInterrupt:
            words = f"It goes on by itself; {begun.href} shows how far it is, and stops it."
            raise CommandError(words, returncode=130) from None
        self._end(ended, is_json=options["json"])

    def _end(self, ended: OneOperation, *, is_json: bool) -> None:
        words = ", ".join(f"{number:,} {state}" for state, number in ended.counts.items())
        self.stdout.write(as_json(ended) if is_json else f"{ended.words}: {words}. {ended.href}")
        if ended.stage != "finished" or BAD & {*ended.counts}:
            raise CommandError(f"It is {ended.stage}. {ended.note}".strip())


def _ask(plan: PlanTold) -> None:
    """Raises CommandError unless the number is typed."""
    try:
        typed = input(f"Type {plan.acted_on} to begin: ")
    except EOFError:
        raise CommandError("There is no terminal to ask; --yes begins without.") from None
    if typed.strip().replace(",", "") != str(plan.acted_on):
        raise CommandError("Nothing was begun.")


def _watched(user: User, operation: OneOperation) -> OneOperation:
    """Works on it beside the workers until nothing more will happen, with a progress bar."""
    with tqdm(total=operation.number, unit="instance", desc=operation.words) as bar:
        while operation.is_live and operation.stage not in {"paused", "halted"}:
            operations.run(operation.id, _connect, clock=timezone.now)
            operation = told(existing(user, operation.id), base())
            settled = sum(operation.counts.get(state.value, 0) for state in SETTLED_STATES)
            bar.update(settled - bar.n)
            bar.set_postfix_str(operation.note, refresh=True)
            if operation.is_live:
                time.sleep(PAUSE)
    return operation


def _connect(account_id: str) -> Client:
    return connection.connect(account_id, Lane.BULK, Spender.SHELL)


def _in_words(plan: PlanTold) -> str:
    lines = [
        f"{plan.kind}: {plan.acted_on:,} of {plan.number:,} instances, {plan.calls:,} requests."
    ]
    lines += [f"Skipped: {number:,}. {words}" for words, number in plan.skipped.items()]
    rows = [(row.status, row.workflow, row.id, row.created_on, row.why_not) for row in plan.first]
    return "\n".join([*lines, table(("STATUS", "WORKFLOW", "ID", "CREATED", "SKIPPED"), rows)])
