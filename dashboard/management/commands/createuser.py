from __future__ import annotations

import getpass
import os
import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.models import Role, User
from dashboard.models.storing import storable


class Command(BaseCommand):
    """Makes a user, or changes one's role and password."""

    help = "Creates a user who may sign in; an existing one gets the new password, and role if any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, help="viewer, for somebody new")
        parser.add_argument(
            "--generate",
            action="store_true",
            help="make up a password and print it, instead of asking (or reading PASSWORD)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = storable(options["username"])
        user = User.objects.filter(username=name).first()
        is_new = user is None
        user = user or User(username=name)
        user.role = options["role"] or user.role
        password = secrets.token_urlsafe(12) if options["generate"] else _given_password()
        try:
            validate_password(password, user)
            user.set_password(password)
            user.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.save()
        self.stdout.write(f"{'Created' if is_new else 'Changed'} {user.username}, {user.role}.")
        if options["generate"]:
            self.stdout.write(f"Password: {password}")


def _given_password() -> str:
    try:
        password = os.environ.get("PASSWORD") or getpass.getpass("Password: ")
    except EOFError:
        raise CommandError(
            "There is no terminal to ask for a password; set PASSWORD, or use --generate."
        ) from None
    if not password:
        raise CommandError("A password cannot be empty.")
    return password
