"""Saying who may do what: each change is a line in the log, in the same transaction."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from dashboard.models.grant import Grant, note_change
from dashboard.models.user import Role, User


class LastAdmin(ValueError):
    """Nobody would be left who could give it back."""

    def __init__(self) -> None:
        super().__init__(_("Nobody else is an admin; make somebody one first."))


@transaction.atomic
def add_person(username: str, role: Role, *, by: User | None, now: datetime) -> tuple[User, str]:
    """Somebody new, and the password that was made up for them: it is told here and nowhere
    else."""
    password = secrets.token_urlsafe(12)
    user = User(username=username, role=role)
    user.set_password(password)
    user.save()
    note_change(username, f"Added, with the role {role}.", by=by, now=now)
    return user, password


@transaction.atomic
def change_person(
    user: User, role: Role, *, is_active: bool, by: User | None, now: datetime
) -> None:
    """Another role everywhere, switched off, or on again. Raises LastAdmin."""
    before = User.objects.select_for_update().get(pk=user.pk)
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if before.role == Role.ADMIN and (role != Role.ADMIN or not is_active) and not admins.exists():
        raise LastAdmin
    User.objects.filter(pk=user.pk).update(role=role, is_active=is_active)
    if before.role != role:
        note_change(user.username, f"Role {role} instead of {before.role}.", by=by, now=now)
    if before.is_active != is_active:
        words = "Switched on again." if is_active else "Switched off."
        note_change(user.username, words, by=by, now=now)


@transaction.atomic
def reset_password(user: User, *, by: User | None, now: datetime) -> str:
    """A new password, made up and told once; all sessions of theirs end."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    note_change(user.username, "Password made anew.", by=by, now=now)
    return password


@transaction.atomic
def sign_out(user: User, *, by: User | None, now: datetime) -> None:
    """Every session of theirs that began until now has ended."""
    User.objects.filter(pk=user.pk).update(signed_out_at=now)
    note_change(user.username, "Signed out everywhere.", by=by, now=now)


@transaction.atomic
def give(grant: Grant, *, by: User | None, now: datetime) -> None:
    """Saves a grant that was made of a form or a command."""
    grant.granted_by, grant.granted_at = by, now
    grant.save()
    _note(grant, "Granted", by, now)


@transaction.atomic
def take(grant: Grant, *, by: User | None, now: datetime) -> None:
    """Takes it away; a second time changes nothing."""
    deleted, _of_each = Grant.objects.filter(pk=grant.pk).delete()
    if deleted:
        _note(grant, "Taken away", by, now)


def _note(grant: Grant, what: str, by: User | None, now: datetime) -> None:
    """Rows are written in one language, whoever asks."""
    with override(settings.LANGUAGE_CODE):
        note_change(grant.holder, f"{what}: {grant}.", by=by, now=now)
