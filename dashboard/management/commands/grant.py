from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dashboard.forms.people import GrantForm
from dashboard.models import Grant, User, granting
from dashboard.models.grant import GRANTED


class Command(BaseCommand):
    """Gives a role for some workflows to a user or to a group, or takes it away."""

    help = "Grants a role for some workflows to a user, or to a group of the identity provider."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("holder", help="the name of a user; of a group with --group")
        parser.add_argument("role", choices=[role for role, _ in GRANTED])
        parser.add_argument("--group", action="store_true")
        parser.add_argument("--account", default="", help="an account's id; all, if left out")
        parser.add_argument("--workflows", default="*", help="a pattern such as orders-*")
        parser.add_argument("--take", action="store_true", help="take it away instead")

    def handle(self, *args: Any, **options: Any) -> None:
        user = None
        if not options["group"]:
            user = User.objects.filter(username=options["holder"]).first()
            if user is None:
                raise CommandError(f"There is no user {options['holder']}; `createuser` makes one.")
        form = GrantForm(
            {
                "user": user and user.pk,
                "group_name": "" if user else options["holder"],
                "role": options["role"],
                "account_id": options["account"],
                "pattern": options["workflows"],
            }
        )
        if not form.is_valid():
            texts = [str(text) for texts in form.errors.values() for text in texts]
            raise CommandError(" ".join(texts))
        grant = form.made()
        if options["take"]:
            self._take(grant)
        else:
            granting.give(grant, by=None, now=timezone.now())
            self.stdout.write(f"Granted to {grant.holder}: {grant}.")

    def _take(self, like: Grant) -> None:
        names = ("user", "group_name", "role", "account_id", "pattern")
        found = Grant.objects.filter(**{name: getattr(like, name) for name in names})
        if not found:
            raise CommandError(f"{like.holder} was not granted this: {like}.")
        for grant in found:
            granting.take(grant, by=None, now=timezone.now())
        self.stdout.write(f"Taken away from {like.holder}: {like}.")
