"""Who may see and use the operations pages: nobody unless signed in, and only operators act."""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.models import Operation, User
from dashboard.simulator.server import Server
from tests.fixtures import Watched
from tests.views.operating import OPERATIONS, fields, fill_in, form_url, send

NO_SUCH = uuid.UUID(int=4711)
KINDS = ["pause", "resume", "restart", "terminate", "send-event", "create"]


@pytest.fixture
def waiting(on_call: Watched) -> str:
    """The id of an instance that waits for an event."""
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    return instance_id


def signed_in_as(role: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_user(f"some-{role}", role=role))
    return browser


def test_somebody_unknown_signs_in_first_and_comes_back(
    client: Client, on_call: Watched, waiting: str
) -> None:
    User.objects.create_user("ana", password="correct horse", role="operator")
    wanted = form_url(on_call, "terminate", waiting)

    redirect = client.get(wanted)
    assert redirect["Location"] == f"/sign-in/?next={quote(wanted, safe='/')}"
    answer = client.post(
        redirect["Location"], {"login": "ana", "password": "correct horse"}, follow=True
    )

    assert answer.redirect_chain[-1] == (wanted, 302)
    assert "Terminate" in answer.content.decode()


@pytest.mark.parametrize("path", [OPERATIONS, f"{OPERATIONS}{NO_SUCH}/"])
def test_a_page_of_operations_is_not_for_somebody_unknown(
    db: None, client: Client, path: str
) -> None:
    assert client.get(path)["Location"] == f"/sign-in/?next={path}"


def test_a_form_of_somebody_unknown_does_nothing(
    client: Client, actor: Client, on_call: Watched, waiting: str
) -> None:
    form = fill_in(actor, form_url(on_call, "pause", waiting))

    answer = send(Client(), form)

    assert answer["Location"].startswith("/sign-in/?next=")
    assert (on_call.sent(), Operation.objects.count()) == ([], 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 200), ("admin", 200)])
def test_only_operators_and_admins_get_a_form(
    on_call: Watched, waiting: str, kind: str, role: str, status: int
) -> None:
    answer = signed_in_as(role).get(form_url(on_call, kind, "" if kind == "create" else waiting))

    assert answer.status_code == status
    if status == 403:
        assert "Your role is viewer" in answer.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_viewer_who_sends_a_form_all_the_same_does_nothing(
    on_call: Watched, waiting: str, kind: str
) -> None:
    url = form_url(on_call, kind, "" if kind == "create" else waiting)
    form = fill_in(signed_in_as("operator"), url, reason="because", event_type="approval")

    answer = send(signed_in_as("viewer"), form)

    assert answer.status_code == 403
    assert "Your role is viewer" in answer.content.decode()
    assert on_call.sent() == on_call.sent("POST") == []
    assert Operation.objects.count() == 0


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_operators_and_admins_act(on_call: Watched, waiting: str, role: str) -> None:
    browser = signed_in_as(role)

    send(browser, fill_in(browser, form_url(on_call, "pause", waiting)))

    assert on_call.sent() == [{"status": "pause"}]
    assert Operation.objects.get().requested_by.role == role


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_everybody_who_signed_in_reads_what_was_done(
    on_call: Watched, waiting: str, role: str
) -> None:
    browser = signed_in_as("operator" if role != "operator" else "admin")
    send(browser, fill_in(browser, form_url(on_call, "pause", waiting)))
    operation = Operation.objects.get()

    reader = signed_in_as(role)

    assert reader.get(OPERATIONS).status_code == 200
    assert reader.get(operation.get_absolute_url()).status_code == 200


def test_while_reading_only_nobody_acts_not_even_with_a_form_from_before(
    on_call: Watched, waiting: str, settings: Settings
) -> None:
    browser = signed_in_as("admin")
    form = fill_in(browser, form_url(on_call, "pause", waiting))
    settings.READ_ONLY = True

    answers = [browser.get(form_url(on_call, "pause", waiting)), send(browser, form)]

    for answer in answers:
        assert answer.status_code == 403
        assert "READ_ONLY" in answer.content.decode()
    assert (on_call.sent(), Operation.objects.count()) == ([], 0)


def test_a_form_from_another_site_is_refused(
    on_call: Watched, waiting: str, operator: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)
    form = fields(browser.get(form_url(on_call, "pause", waiting)).content.decode())
    token = form.pop("csrfmiddlewaretoken")

    assert send(browser, form).status_code == 403
    assert on_call.sent() == []
    assert send(browser, form | {"csrfmiddlewaretoken": token}).status_code == 302
    assert len(on_call.sent()) == 1


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("path", [OPERATIONS, "/operations/new/", f"{OPERATIONS}{NO_SUCH}/"])
def test_no_other_method_is_answered(actor: Client, method: str, path: str) -> None:
    assert getattr(actor, method)(path).status_code == 405


def test_a_viewer_is_told_on_the_instance_page_why_nothing_can_be_asked(
    reader: Client, on_call: Watched, waiting: str
) -> None:
    html = reader.get(on_call.row(waiting).get_absolute_url()).content.decode()

    assert "Why can nothing be asked?" in html
    assert html.count("Your role is viewer") >= 5
    assert "/operations/new/" not in html


def test_a_button_that_cannot_be_used_is_named_with_why(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    html = actor.get(on_call.row(waiting).get_absolute_url()).content.decode()

    button = re.search(r'<button[^>]*aria-describedby="([^"]+)"[^>]*>Resume</button>', html)
    assert button is not None
    assert 'aria-disabled="true"' in button[0]
    assert re.search(rf'<dd id="{button[1]}">Only a paused instance can be resumed', html)
    assert "Why not resume?" in html


def test_an_account_that_is_no_longer_configured_is_asked_for_nothing(
    actor: Client, on_call: Watched, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = form_url(on_call, "send-event", waiting, event_type="approval")
    form = fill_in(actor, url, payload='{"kept": 1}')
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "another")

    page, answer = actor.get(form_url(on_call, "pause", waiting)), send(actor, form)

    assert page.status_code == 200
    assert "no longer watches account test" in page.content.decode()
    assert answer.status_code == 409
    assert "no longer watches account test" in answer.content.decode()
    assert fields(answer.content.decode())["payload"] == '{"kept": 1}'
    assert Operation.objects.count() == 0


def test_a_workflow_that_is_gone_takes_nothing_new(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    form = fill_in(actor, form_url(on_call, "create"), new_id="late")
    gone = on_call.workflow()
    gone.gone_at = on_call.clock()
    gone.save()

    answer = send(actor, form)

    assert answer.status_code == 409
    assert "Cloudflare no longer has this workflow." in answer.content.decode()
    assert on_call.sent("POST") == []


def test_the_read_only_token_of_the_account_ends_in_its_own_sentence(
    actor: Client,
    on_call: Watched,
    waiting: str,
    configured: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", configured.read_only_token)

    answer = send(actor, fill_in(actor, form_url(on_call, "pause", waiting)), follow=True)

    html = answer.content.decode()
    assert "Workers Scripts" in html
    assert configured.read_only_token not in html
