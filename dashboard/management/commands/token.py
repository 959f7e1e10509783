from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from dashboard.api.failures import Misfit
from dashboard.forms.tokens import LIVES, USUAL_LIFE, TokenForm
from dashboard.management.shell import sentences, user_named
from dashboard.models import ApiToken, Scope


class Command(BaseCommand):
    """Makes a token for a user."""

    help = "Makes an API token in the name of a user, and prints its secret, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("name", help="stands beside the user's on all that is done with it")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.READ.value)
        days = [days for days, _ in LIVES]
        parser.add_argument("--days", type=int, choices=days, default=USUAL_LIFE)

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["username"])
        form = TokenForm(user, {name: options[name] for name in ("name", "scope", "days")})
        with sentences():
            if not form.is_valid():
                raise Misfit.of(form)
        now = timezone.now()
        token, secret = ApiToken.objects.make(
            user=user,
            created_at=now,
            name=form.cleaned_data["name"],
            scope=form.cleaned_data["scope"],
            expires_at=now + form.life(),
        )
        self.stdout.write(secret)
        words = f"{token} of {user}, {token.scope}, until {token.expires_at:%Y-%m-%d}."
        self.stderr.write(f"{words} The secret is not shown again.")
