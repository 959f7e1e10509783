"""Who asks, as each request finds it out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.models import User

PAGE = "/sync/"


@pytest.fixture
def reader(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


def is_signed_in(reader: Client) -> bool:
    return reader.get(PAGE).status_code == 200


def test_whoever_signed_in_is_known_with_all_that_is_kept_of_them(
    reader: Client, viewer: User
) -> None:
    found = reader.get(PAGE).wsgi_request.user
    viewer.refresh_from_db()
    names = [field.attname for field in User._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {
        name: getattr(viewer, name) for name in names
    }
    assert (found._state.adding, found._state.db) == (False, "default")


def test_a_session_that_has_ended_signs_nobody_in(reader: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_signed_in(reader)


def test_a_session_that_was_taken_away_signs_nobody_in(reader: Client) -> None:
    Session.objects.all().delete()
    assert not is_signed_in(reader)


def test_a_key_that_no_session_has_signs_nobody_in(client: Client, db: None) -> None:
    client.cookies["sessionid"] = "x" * 40
    assert not is_signed_in(client)


@pytest.mark.parametrize("changed", [{"is_active": False}, {"password": "another"}])
def test_who_was_switched_off_or_has_another_password_is_signed_out(
    reader: Client, changed: dict[str, object]
) -> None:
    User.objects.update(**changed)
    assert not is_signed_in(reader)


def test_who_was_deleted_is_signed_out(reader: Client, viewer: User) -> None:
    viewer.delete()
    assert not is_signed_in(reader)


def test_to_know_who_asks_takes_two_statements(
    reader: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        reader.get("/sign-in/")
