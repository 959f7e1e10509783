"""What somebody with bad intent tries ends in a sentence or a refusal, and reaches nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters

from dashboard import connection
from dashboard.models import User
from dashboard.settings import BASE_DIR
from tests.fixtures import Watched
from tests.rows import account, instance, workflow
from tests.views.conftest import actor, on_call, reader  # noqa: F401 - fixtures

PUBLIC = "https://workflows.example.com"
#: Ids that try to become another path, header or line.
PATHS = [
    "..", ".", "a/../../x", "../../../../user/tokens/verify", "%2e%2e", "%2e%2e/%2e%2e/x",
    "..%2f..%2fx", "a%00b", "a\\..\\x", "a/..;/x", "a?account=other", "a#b", "//elsewhere.example/",
    "a%0d%0aX-Injected:%201", "\r\nX-Injected: 1", "a\tb", "\u2025/x", "\ufe52\ufe52/x",
]  # fmt: skip


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a process of Python says that has this environment and no other."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


ASK = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
import django; django.setup()
from django.core.management import call_command
from django.test import Client
call_command("collectstatic", "--noinput", verbosity=0)
call_command("migrate", verbosity=0)
asked = Client(HTTP_HOST="workflows.example.com")
plain, sealed = asked.get("/sign-in/"), asked.get("/sign-in/", secure=True)
print(plain.status_code, plain["Location"])
for name in ("Strict-Transport-Security", "X-Frame-Options", "Referrer-Policy",
             "X-Content-Type-Options", "Cross-Origin-Opener-Policy", "Content-Security-Policy"):
    print(f"{name}: {sealed[name]}")
print([bool(cookie["secure"] and cookie["samesite"]) for cookie in sealed.cookies.values()])
print(Client(HTTP_HOST="elsewhere.example").get("/sign-in/", secure=True).status_code)
"""


def test_under_https_every_answer_says_so_and_nothing_may_frame_it(tmp_path: Path) -> None:
    told = run("-c", ASK, folder=tmp_path, PUBLIC_URL=PUBLIC)

    assert told.returncode == 0, told.stderr
    for line in (
        f"301 {PUBLIC}/sign-in/",
        "Strict-Transport-Security: max-age=31536000",
        "X-Frame-Options: DENY",
        "Referrer-Policy: same-origin",
        "X-Content-Type-Options: nosniff",
        "Cross-Origin-Opener-Policy: same-origin",
        "frame-ancestors 'none'",
        "[True]",
    ):
        assert line in told.stdout
    assert told.stdout.splitlines()[-1] == "400"


def test_djangos_own_check_of_a_deployment_finds_nothing(tmp_path: Path) -> None:
    told = run(
        *("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        folder=tmp_path,
        PUBLIC_URL=PUBLIC,
        SECRET_KEY="a-key-of-fifty-or-more-characters-of-more-kinds-0123456789",
        CLOUDFLARE_ACCOUNT_ID="acc1",
        CLOUDFLARE_API_TOKEN="tok",
    )

    assert told.returncode == 0, told.stderr


ELSEWHERE = [
    "http://169.254.169.254/latest", "http://[fd00:ec2::254]/v4", "http://metadata.google.internal/v4",
    "http://100.100.100.200/v4", "http://2852039166/v4", "http://0xa9fea9fe/v4", "https://10.0.0.1/v4",
    "http://[::ffff:169.254.169.254]/v4", "https://api.cloudflare.com.elsewhere.example/v4",
    "https://api.cloudflare.com@elsewhere.example/v4", "http://api.cloudflare.com/client/v4",
    "http://0.0.0.0:8787/v4", "http://localhost.elsewhere.example/v4",
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_the_token_is_sent_to_nobody_who_was_not_allowed(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", address)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "tok-0123456789")

    with pytest.raises(ImproperlyConfigured) as refused:
        connection.connect("acc1")
    assert "CLOUDFLARE_API_BASE_URL" in str(refused.value)
    assert "tok-0123456789" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://api.cloudflare.com/client/v4", ""),
        ("http://127.0.0.1:8787", ""),
        ("http://localhost:8787/v4", ""),
        ("http://[::1]:8787/v4", ""),
        ("https://gateway.example/v4", "gateway.example"),
        ("http://10.0.0.1/v4", "gateway.example 10.0.0.1"),
    ],
)
def test_cloudflare_this_machine_and_what_was_allowed_are_asked(
    monkeypatch: pytest.MonkeyPatch, address: str, allowed: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", address)
    monkeypatch.setenv("CLOUDFLARE_API_ALLOWED_HOSTS", allowed)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")

    assert connection.account_setting("acc1").base_url.startswith(address)


@pytest.mark.parametrize("hostile", PATHS)
def test_an_id_stays_an_id_whatever_path_it_tries_to_be(
    reader: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
    hostile: str,
) -> None:
    on_call.add("waiting")
    on_call.sync()
    begins = f"/accounts/{on_call.account.account_id}/workflows/orders/instances/"
    before = len(on_call.server.requests)

    answers = [reader.get(begins + quote(hostile, safe=safe)) for safe in ("", "/%")]

    for answer in answers:
        assert answer.status_code in {200, 301, 302, 400, 404}
        assert "X-Injected" not in answer.headers
    for asked in on_call.server.requests[before:]:
        path = asked["path"]
        assert f"/accounts/{on_call.account.account_id}/workflows/orders" in path
        assert not {"..", "."} & set(path.split("/"))


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example/",
        "\\\\elsewhere.example", "https:elsewhere.example", "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1", "\r\nSet-Cookie: x=1", "http:///elsewhere.example",
        "https://workflows.example.com@elsewhere.example/", "\t//elsewhere.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "page",
    ["/sign-in/?next={}", "/since/?at={}", "/go/?q={}", "/instances/?q={}", "/instances/?after={}"],
)
def test_no_address_leads_to_another_site(
    reader: Browser,  # noqa: F811
    page: str,
    address: str,
) -> None:
    account()
    answer = reader.get(page.format(quote(address)))

    assert answer.status_code in {200, 302, 400}
    assert "elsewhere" not in answer.headers.get("Location", "").split("?")[0]
    assert answer.headers.get("Location", "/").startswith("/")
    assert "x" not in answer.cookies


def test_signing_in_takes_a_new_session_whatever_one_was_brought(
    client: Browser, operator: User
) -> None:
    operator.set_password("correct horse battery")
    operator.save()
    client.cookies["sessionid"] = "chosen-by-somebody-else"
    client.get("/sign-in/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key

    client.post("/sign-in/", {"login": "olga", "password": "correct horse battery"})
    first = client.cookies["sessionid"].value

    assert first not in {"chosen-by-somebody-else", session.session_key}
    assert client.get("/").status_code == 200
    thief = Browser()
    thief.cookies["sessionid"] = session.session_key
    assert thief.get("/").status_code == 302


def patterns(within: URLResolver, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for pattern in within.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, f"{prefix}{pattern.pattern}")
        else:
            yield f"{prefix}{pattern.pattern}", pattern


def routes() -> list[tuple[str, str]]:
    """An address for each route: its name, and its path with values in it."""
    values = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000001", "slug": "csv"}
    named = {"account_id": "acc1", "workflow_name": "orders", "instance_id": "one"}
    found = []
    for written_path, pattern in patterns(get_resolver()):
        path = written_path
        for name, converter in pattern.pattern.converters.items():
            [kind] = [k for k, known in get_converters().items() if known is converter]
            for written in (f"<{kind}:{name}>", f"<{name}>"):
                path = path.replace(written, named.get(name) or values.get(kind, "x"))
        found.append((pattern.name or path, path))
    return found


@pytest.mark.parametrize("is_htmx", [True, False])
@pytest.mark.parametrize(("name", "path"), routes())
def test_no_form_of_another_site_is_taken_by_any_address(
    db: None, name: str, path: str, is_htmx: bool
) -> None:
    instance("one", of=workflow("orders"))
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(User.objects.create(username="ada", role="admin"))
    headers = {"HX-Request": "true"} if is_htmx else {}

    answer = browser.post(path, {"kind": "pause"}, headers=headers)

    # Scripts show a token, which no other site can make a browser send.
    is_for_scripts = path.startswith("/api/v1/")
    assert answer.status_code in ({401, 404, 405} if is_for_scripts else {403}), name
