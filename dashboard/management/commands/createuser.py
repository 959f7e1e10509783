from __future__ import annotations

import getpass
import os
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.models import Role, User


class Command(BaseCommand):
    """Makes a user, or changes one's role and password."""

    help = "Creates a user who may sign in; an existing one gets the new role and password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER)
        parser.add_argument(
            "--generate",
            action="store_true",
            help="make up a password and print it, instead of asking (or reading PASSWORD)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["generate"]:
            password = secrets.token_urlsafe(12)
        else:
            password = os.environ.get("PASSWORD") or getpass.getpass("Password: ")
        if not password:
            raise CommandError("A password cannot be empty.")
        user, is_new = User.objects.get_or_create(username=options["username"])
        user.role = options["role"]
        user.set_password(password)
        user.save()
        self.stdout.write(f"{'Created' if is_new else 'Changed'} {user.username}, {user.role}.")
        if options["generate"]:
            self.stdout.write(f"Password: {password}")
