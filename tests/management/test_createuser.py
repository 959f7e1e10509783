"""`manage.py createuser` makes somebody who can sign in, or changes one."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from dashboard.models import User, access_of

PASSWORD = "correct horse battery"


def createuser(*arguments: str) -> str:
    out = StringIO()
    call_command("createuser", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _password(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", PASSWORD)


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_somebody_new_signs_in_with_the_role_that_was_given(client: Client, role: str) -> None:
    assert createuser("ana", "--role", role) == f"Created ana, {role}.\n"

    assert client.login(username="ana", password=PASSWORD)
    assert User.objects.get().role == role


def test_somebody_new_may_only_look_by_default() -> None:
    createuser("ana")

    assert not access_of(User.objects.get()).operates


def test_a_new_password_leaves_the_role_as_it_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    createuser("ana", "--role", "admin")
    monkeypatch.setenv("PASSWORD", "another horse battery")

    assert createuser("ana") == "Changed ana, admin.\n"

    assert not client.login(username="ana", password=PASSWORD)
    assert client.login(username="ana", password="another horse battery")
    assert User.objects.get().role == "admin"


def test_a_role_can_be_taken_away() -> None:
    createuser("ana", "--role", "admin")

    createuser("ana", "--role", "viewer")

    assert User.objects.get().role == "viewer"


def test_a_password_that_was_made_up_is_printed_and_works(client: Client) -> None:
    out = createuser("ana", "--generate")

    made_up = re.search(r"^Password: (\S{12,})$", out, re.MULTILINE)
    assert made_up is not None
    assert client.login(username="ana", password=made_up[1])


@pytest.mark.parametrize(
    ("password", "says"),
    [("short", "too short"), ("password123", "too common"), ("12345678", "too common")],
)
def test_a_password_that_anybody_guesses_is_refused(
    monkeypatch: pytest.MonkeyPatch, password: str, says: str
) -> None:
    monkeypatch.setenv("PASSWORD", password)

    with pytest.raises(CommandError, match=says):
        createuser("ana")

    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["", "two words", "x" * 151, "a\0b", "<b>"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        createuser(name)

    assert not User.objects.exists()


def test_without_a_terminal_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.delenv("PASSWORD")
    monkeypatch.setattr("getpass.getpass", closed)

    with pytest.raises(CommandError, match="set PASSWORD, or use --generate"):
        createuser("ana")


def test_an_empty_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PASSWORD")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")

    with pytest.raises(CommandError, match="cannot be empty"):
        createuser("ana")


def test_a_role_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        createuser("ana", "--role", "owner")
