"""Each way in which Cloudflare, or the way to it, fails: over a real socket, to its own error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from dashboard import cloudflare
from dashboard.cloudflare import Action, Client, CloudflareError, Credentials, NewInstance, Status
from tests.cloudflare.conftest import ACCOUNT, TOKEN, Reply, Server, html, ok, refused

Connect = Callable[..., Client]


def failure(operation: Callable[[], Any]) -> CloudflareError:
    with pytest.raises(CloudflareError) as caught:
        operation()
    return caught.value


@pytest.mark.parametrize(
    ("reply", "expected", "code"),
    [
        (refused(403, 10000, "Authentication error"), cloudflare.Unauthorized, 10000),
        (refused(400, 6003, "Invalid request headers"), cloudflare.Unauthorized, 6003),
        (refused(401, 1000, "Invalid API Token"), cloudflare.Unauthorized, 1000),
        (refused(403, 999999, "New words"), cloudflare.Unauthorized, 999999),
        (Reply({"code": 40, "error": "no"}, status=401), cloudflare.Unauthorized, 40),
        (refused(404, 10200, "workflow.not_found"), cloudflare.NotFound, 10200),
        (refused(404, 10400), cloudflare.NotFound, 10400),
        (refused(404, 999999), cloudflare.NotFound, 999999),
        (refused(400, 10401), cloudflare.Conflict, 10401),
        (refused(400, 10405), cloudflare.Conflict, 10405),
        (refused(409, 999999), cloudflare.Conflict, 999999),
        (refused(500, 10001, "(instance.cannot_resume) no"), cloudflare.Conflict, 10001),
        (refused(400, 10002, "workflows.api.error.body"), cloudflare.Invalid, 10002),
        (refused(404, 7003, "Could not route"), cloudflare.Invalid, 7003),
        (refused(422, 999999), cloudflare.Invalid, 999999),
        (refused(400, 10001, "Invalid input"), cloudflare.Invalid, 10001),
        (refused(500, 10001, "internal_server"), cloudflare.Failed, 10001),
        (refused(400, 10001, "workflows.api.error.internal_server"), cloudflare.Failed, 10001),
        (refused(500, 10000, "uncaught"), cloudflare.Failed, 10000),
        (refused(200, 10001), cloudflare.Failed, 10001),
        (refused(200, 999999), cloudflare.Failed, 999999),
        (refused(503, 999999), cloudflare.Failed, 999999),
        (html(502), cloudflare.Failed, None),
        (html(504), cloudflare.Failed, None),
        (html(522), cloudflare.Failed, None),
        (html(200), cloudflare.Failed, None),
        (Reply(status=408, body=b"slow"), cloudflare.Failed, None),
        (html(302, Location="https://elsewhere.example"), cloudflare.UnexpectedResponse, None),
        (Reply(status=204, body=b""), cloudflare.UnexpectedResponse, None),
        (Reply(body=b""), cloudflare.UnexpectedResponse, None),
        (Reply(body=b'{"success": true, "resu'), cloudflare.UnexpectedResponse, None),
        (Reply(body=b"[" * 100_000), cloudflare.UnexpectedResponse, None),
        (Reply(body=b'{"result": NaN}'), cloudflare.UnexpectedResponse, None),
        (Reply(body=b"\xff\xfe\x00"), cloudflare.UnexpectedResponse, None),
        (Reply([1, 2]), cloudflare.UnexpectedResponse, None),
        (Reply({"success": True}), cloudflare.UnexpectedResponse, None),
        (ok(None), cloudflare.UnexpectedResponse, None),
        (ok(["a list"]), cloudflare.UnexpectedResponse, None),
        (Reply(status=404, body=b"404 Not Found"), cloudflare.UnexpectedResponse, None),
        (Reply(status=403, body=b"blocked"), cloudflare.UnexpectedResponse, None),
        (
            Reply(body=b"x" * 99, headers={"Content-Encoding": "gzip"}),
            cloudflare.UnexpectedResponse,
            None,
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_every_answer_means_one_failure(
    client: Client, server: Server, reply: Reply, expected: type[CloudflareError], code: int | None
) -> None:
    reply.headers["cf-ray"] = "9a-FRA"
    server.answer(reply)

    error = failure(lambda: client.get_workflow("orders"))

    assert type(error) is expected
    assert error.code == code
    assert error.was_sent
    assert str(error).endswith((".", '"'))
    if reply.status != 200:
        assert (error.http_status, error.ray) == (reply.status, "9a-FRA")


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ("workflows.api.error.workflow.not_found", "workflow"),
        ("workflows.api.error.instance.not_found", "instance"),
        ("workflows.api.error.version.not_found", "version"),
        ("Workflow 'nope' not found.", "workflow"),
        ("Workflow instance 'nope' not found.", "instance"),
        ("nothing here", ""),
    ],
)
def test_not_found_says_what(client: Client, server: Server, message: str, what: str) -> None:
    server.answer(refused(404, 10501, message))
    error = failure(lambda: client.get_instance("orders", "one"))
    assert isinstance(error, cloudflare.NotFound)
    assert error.what == what


def test_a_refused_token_is_told_with_the_permission_it_needs(
    client: Client, server: Server
) -> None:
    server.answer(refused(403, 10000, "Authentication error"))
    assert str(failure(lambda: client.get_workflow("orders"))) == (
        "Cloudflare refused the token (10000). It is wrong or expired, or it lacks the permission "
        f"Workers Scripts: Read for the account {ACCOUNT}."
    )
    pause = failure(lambda: client.change_instance_status("orders", "one", Action.PAUSE))
    assert "Workers Scripts: Edit" in str(pause)


def test_a_missing_token_is_told_before_anything_is_sent(connect: Connect, server: Server) -> None:
    for credentials in (Credentials(), Credentials(token=" \n"), Credentials(email="a@b.c")):
        error = failure(lambda it=credentials: connect(credentials=it).get_workflow("orders"))
        assert isinstance(error, cloudflare.Unauthorized)
        assert not error.was_sent
    assert not server.seen


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "caf\u00e9", "nul\0"])
def test_a_token_no_header_can_hold_is_refused_without_being_quoted(
    connect: Connect, server: Server, token: str
) -> None:
    error = failure(lambda: connect(credentials=Credentials(token)).get_workflow("orders"))
    assert isinstance(error, cloudflare.Unauthorized)
    assert not error.was_sent
    assert token not in str(error)
    assert error.__cause__ is None
    assert not server.seen


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Ratelimit": '"default";r=0;t=17'}, 17.0),
        ({"Ratelimit": '"default";r=3;t=17'}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(
    client: Client, server: Server, headers: dict[str, str], seconds: float | None
) -> None:
    server.answer(refused(429, 10013, headers=headers))
    error = failure(lambda: client.get_workflow("orders"))
    assert isinstance(error, cloudflare.RateLimited)
    assert error.retry_after == seconds


def test_a_retry_date_is_measured_by_the_servers_own_clock(client: Client, server: Server) -> None:
    server.clock_skew = 7 * 60
    later = datetime.now(UTC) + timedelta(seconds=server.clock_skew + 90)
    server.answer(html(429, **{"Retry-After": format_datetime(later, usegmt=True)}))
    error = failure(lambda: client.get_workflow("orders"))
    assert isinstance(error, cloudflare.RateLimited)
    assert error.retry_after == pytest.approx(90, abs=3)


def test_a_short_wait_is_waited_and_a_long_one_is_the_callers_business(
    client: Client, server: Server
) -> None:
    server.answer(refused(429, 0, headers={"Retry-After": "2"}), ok({"name": "orders"}))
    assert client.get_workflow("orders").name == "orders"
    assert len(server.seen) == 2

    server.answer(refused(429, 0, headers={"Retry-After": "300"}))
    failure(lambda: client.get_workflow("orders"))
    assert len(server.seen) == 3


@pytest.mark.parametrize("bad", [refused(500, 10001), html(502), Reply(reset=True)])
def test_a_read_that_fails_once_is_tried_again(client: Client, server: Server, bad: Reply) -> None:
    server.answer(bad, ok({"name": "orders"}))
    assert client.get_workflow("orders").name == "orders"
    assert len(server.seen) == 2


def test_a_read_is_tried_as_often_as_asked_and_no_more(connect: Connect, server: Server) -> None:
    server.answer(refused(500, 10001))
    failure(lambda: connect(tries=2).get_workflow("orders"))
    assert len(server.seen) == 2


@pytest.mark.parametrize("bad", [refused(403, 10000), refused(404, 10200), refused(400, 10002)])
def test_what_a_second_try_cannot_repair_is_not_tried_again(
    client: Client, server: Server, bad: Reply
) -> None:
    server.answer(bad)
    failure(lambda: client.get_workflow("orders"))
    assert len(server.seen) == 1


WRITES: list[Callable[[Client], object]] = [
    lambda client: client.create_instance("orders", NewInstance("one")),
    lambda client: client.create_instances("orders", [NewInstance("one")]),
    lambda client: client.change_instance_status("orders", "one", Action.RESTART),
    lambda client: client.send_instance_event("orders", "one", "paid"),
    lambda client: client.delete_instances("orders", ["one"]),
    lambda client: client.terminate_instances("orders", status=Status.RUNNING),
    lambda client: client.delete_workflow("orders"),
    lambda client: client.put_workflow("orders", class_name="A", script_name="b"),
]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "bad",
    [
        refused(500, 10001),
        html(502),
        refused(429, 0, headers={"Retry-After": "1"}),
        Reply(reset=True),
    ],
)
def test_a_write_is_sent_once_whatever_happens(
    connect: Connect, server: Server, write: Callable[[Client], object], bad: Reply
) -> None:
    server.answer(bad)
    error = failure(lambda: write(connect(allow_undocumented=True)))
    assert len(server.seen) == 1
    assert error.was_sent


def test_a_challenge_page_has_its_own_sentence_and_is_not_tried_again(
    client: Client, server: Server
) -> None:
    page = "<html><title>Just a moment...</title><script>x()</script>Checking</html>"
    server.answer(html(403, page, **{"cf-mitigated": "challenge"}))
    error = failure(lambda: client.get_workflow("orders"))
    assert isinstance(error, cloudflare.Failed)
    assert "challenge" in str(error)
    assert error.excerpt == "Just a moment... Checking"
    assert len(server.seen) == 1


def test_an_excerpt_is_short_plain_text(client: Client, server: Server) -> None:
    server.answer(html(502, "<p onclick='x'>Bad &lt;b&gt; \x07\u202egateway</p>" * 50))
    error = failure(lambda: client.get_workflow("orders"))
    assert isinstance(error, cloudflare.Failed)
    assert error.excerpt.startswith("Bad <b> gateway")
    assert len(error.excerpt) <= 200


def test_a_refused_connection_was_never_sent(connect: Connect) -> None:
    error = failure(
        lambda: connect(base_url="http://127.0.0.1:1/client/v4").delete_workflow("orders")
    )
    assert isinstance(error, cloudflare.Unreachable)
    assert not error.was_sent


def test_a_name_that_does_not_resolve_was_never_sent(connect: Connect) -> None:
    # An empty label can never be looked up, so no name server is asked.
    error = failure(lambda: connect(base_url="https://a..invalid/v4").get_workflow("orders"))
    assert isinstance(error, cloudflare.Unreachable | cloudflare.Invalid)
    assert not error.was_sent


def test_a_slow_answer_to_a_write_says_that_it_may_have_happened(
    connect: Connect, server: Server
) -> None:
    server.answer(Reply(delay=0.5))
    client = connect(timeout=0.1)
    error = failure(lambda: client.change_instance_status("orders", "one", Action.RESTART))
    assert isinstance(error, cloudflare.Unreachable)
    assert error.was_sent
    assert "look at the instance before you try again" in str(error)


def test_a_body_that_drips_is_given_up(connect: Connect, server: Server) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield b" "

    server.answer(Reply(chunks=drip))
    error = failure(lambda: connect(timeout=0.1, tries=1).get_workflow("orders"))
    assert isinstance(error, cloudflare.Unreachable)


@pytest.mark.parametrize("reply", [Reply(ok({}).json, cut=10), Reply(reset=True)])
def test_a_connection_that_breaks_is_unreachable(
    client: Client, server: Server, reply: Reply
) -> None:
    server.answer(reply)
    error = failure(lambda: client.get_workflow("orders"))
    assert isinstance(error, cloudflare.Unreachable)
    assert error.was_sent
    assert error.__cause__ is not None
    assert len(server.seen) == 3


def test_a_body_larger_than_the_bound_is_not_read_to_its_end(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.cloudflare.transport.LARGEST_BODY", 1 << 20)
    server.answer(Reply(chunks=lambda: (b" " * 65536 for _ in range(10_000))))
    error = failure(lambda: client.get_workflow("orders"))
    assert isinstance(error, cloudflare.UnexpectedResponse)
    assert "1 MiB" in str(error)


def test_a_complete_result_is_kept_with_a_warning_although_the_envelope_says_failed(
    client: Client, server: Server
) -> None:
    result = {"status": "complete", "steps": [], "step_count": 0}
    server.answer(refused(500, 10001, "internal_server", result))
    detail = client.get_instance("orders", "one")
    assert detail.status is Status.COMPLETE
    assert "10001" in detail.warning
    assert len(server.seen) == 1


@pytest.mark.parametrize("result", [None, {}, {"status": "complete"}, [], "text"])
def test_an_incomplete_result_of_a_failure_is_not_kept(
    client: Client, server: Server, result: object
) -> None:
    server.answer(refused(500, 10001, "internal_server", result))
    assert isinstance(failure(lambda: client.get_instance("orders", "one")), cloudflare.Failed)


def test_a_wrong_content_type_does_not_hide_good_json(client: Client, server: Server) -> None:
    for content_type in ("text/plain", "application/octet-stream", "text/html"):
        reply = ok({"name": "orders"})
        reply.headers["Content-Type"] = content_type
        server.answer(reply)
        assert client.get_workflow("orders").name == "orders"


def test_the_token_is_not_in_words_that_a_server_echoes(client: Client, server: Server) -> None:
    for reply in (html(502, f"Bearer {TOKEN}"), refused(400, 10002, f"bad header {TOKEN}")):
        server.answer(reply)
        error = failure(lambda: client.get_workflow("orders"))
        assert TOKEN not in f"{error!s} {error!r} {error.__dict__}"
        assert "[redacted]" in f"{error!s} {error.__dict__}"


def test_conflicts_say_why(client: Client, server: Server) -> None:
    server.answer(refused(500, 10001, "WorkflowError: (instance.cannot_terminate) Cannot …"))
    error = failure(lambda: client.change_instance_status("orders", "one", Action.TERMINATE))
    assert str(error) == ("The instance has finished already, so it cannot be terminated (10001).")


@pytest.mark.parametrize(
    "base_url",
    ["", "api.cloudflare.com", "ftp://a.example", "https://", "http://[::1", "http://a:x/"],
)
def test_a_base_url_that_is_none_is_refused_at_once(connect: Connect, base_url: str) -> None:
    assert isinstance(failure(lambda: connect(base_url=base_url)), cloudflare.Invalid)
