"""`manage.py check` names what is missing or wrong, in a sentence with its cure, and no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from dashboard import connection

SECRET = "tok-not-to-be-shown"
ACCOUNT = {"CLOUDFLARE_ACCOUNT_ID": "acc1", "CLOUDFLARE_API_TOKEN": SECRET}
TWO = {
    "CLOUDFLARE_ACCOUNTS": "prod my-staging",
    "CLOUDFLARE_ACCOUNT_ID_PROD": "p1",
    "CLOUDFLARE_API_TOKEN_PROD": SECRET,
    "CLOUDFLARE_ACCOUNT_ID_MY_STAGING": "s1",
    "CLOUDFLARE_API_TOKEN_MY_STAGING": SECRET,
}


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
        monkeypatch.delenv(name)


def found(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    """What the checks say, each with its number, its sentence and its cure."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    messages = run_checks(tags=["dashboard"])
    return [f"{message.id} {message.msg} {message.hint or ''}".strip() for message in messages]


@pytest.mark.parametrize(
    "environment",
    [
        ACCOUNT,
        TWO,
        {"CLOUDFLARE_ACCOUNT_ID": "a", "CLOUDFLARE_EMAIL": "a@b.c", "CLOUDFLARE_API_KEY": "k"},
        {"CLOUDFLARE_API_BASE_URL": "http://127.0.0.1:8787"},
    ],
)
def test_nothing_is_said_of_a_complete_configuration(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    assert found(monkeypatch, **environment) == []


def test_no_account_at_all_is_a_warning_with_the_way_to_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [warning] = found(monkeypatch)

    assert warning.startswith("dashboard.W001 No Cloudflare account is configured")
    assert "CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN" in warning


@pytest.mark.parametrize(
    ("change", "number", "says"),
    [
        ({"CLOUDFLARE_API_TOKEN": ""}, "E002", "has no API token. Set CLOUDFLARE_API_TOKEN, or"),
        (
            {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_EMAIL": "a@b.c"},
            "E002",
            "only half of its e-mail and global key. Set CLOUDFLARE_API_KEY too",
        ),
        (
            {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_API_KEY": SECRET},
            "E002",
            "only half of its e-mail and global key. Set CLOUDFLARE_EMAIL too",
        ),
        ({"CLOUDFLARE_API_TOKEN": f'{SECRET} "x'}, "E006", "Copy it again."),
        ({"CLOUDFLARE_API_TOKEN": f"{SECRET}ä"}, "E006", "Copy it again."),
        ({"CLOUDFLARE_ACCOUNT_ID": ""}, "E004", "CLOUDFLARE_ACCOUNT_ID is missing"),
        (
            {"CLOUDFLARE_API_BASE_URL": "ftp://x/y"},
            "E003",
            "CLOUDFLARE_API_BASE_URL is not an http",
        ),
        (
            {"CLOUDFLARE_API_BASE_URL": "http://localhost:pp/y"},
            "E003",
            "CLOUDFLARE_API_BASE_URL is not an",
        ),
        (
            {"CLOUDFLARE_API_BASE_URL": "api.cloudflare.com/x"},
            "E003",
            "write http://127.0.0.1:8787",
        ),
        (
            {"CLOUDFLARE_API_BASE_URL": "http://[::1"},
            "E001",
            "CLOUDFLARE_API_BASE_URL is no address",
        ),
        (
            {"CLOUDFLARE_API_TOKEN": "", "CLOUDFLARE_API_TOKEN_FILE": "/nowhere/token"},
            "E001",
            "CLOUDFLARE_API_TOKEN_FILE names /nowhere/token, which cannot be read",
        ),
    ],
)
def test_what_is_wrong_with_an_account_is_named_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], number: str, says: str
) -> None:
    [message] = found(monkeypatch, **ACCOUNT | change)

    assert message.startswith(f"dashboard.{number} ")
    assert says in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("change", "number", "says"),
    [
        ({"CLOUDFLARE_API_TOKEN_PROD": ""}, "E002", "Set CLOUDFLARE_API_TOKEN_PROD, or"),
        ({"CLOUDFLARE_ACCOUNT_ID_MY_STAGING": ""}, "E004", "CLOUDFLARE_ACCOUNT_ID_MY_STAGING is"),
        (
            {"CLOUDFLARE_ACCOUNT_ID_MY_STAGING": "p1"},
            "E005",
            "CLOUDFLARE_ACCOUNT_ID_PROD and CLOUDFLARE_ACCOUNT_ID_MY_STAGING are the same.",
        ),
    ],
)
def test_of_several_accounts_the_variable_of_the_wrong_one_is_named(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], number: str, says: str
) -> None:
    [message] = found(monkeypatch, **TWO | change)

    assert message.startswith(f"dashboard.{number} ")
    assert says in message


def test_an_open_port_without_a_name_is_mentioned(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.BIND, settings.PUBLIC_URL = "0.0.0.0", ""
    [warning] = found(monkeypatch, **ACCOUNT)
    assert warning.startswith("dashboard.W002 BIND is 0.0.0.0")

    settings.PUBLIC_URL = "https://workflows.example.com"
    assert found(monkeypatch, **ACCOUNT) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("READ_ONLY", "maybe"),
        ("PORT", "http"),
        ("PUBLIC_URL", "workflows.example.com"),
        ("DATABASE_URL", "hunter2@host/name"),
        ("REDIS_URL", "hunter2@host"),
        ("SECRET_KEY_FILE", "/nowhere/key"),
    ],
)
def test_a_wrong_setting_ends_the_command_with_its_sentence_and_no_traceback(
    tmp_path: Path, name: str, value: str
) -> None:
    manage = Path(connection.__file__).parent.parent / "manage.py"
    ended = subprocess.run(
        [sys.executable, str(manage), "check"],
        env={"DATA_DIR": str(tmp_path), name: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith(name)
    assert len(ended.stderr.splitlines()) == 1
    assert "hunter2" not in ended.stderr


def test_behind_https_nothing_is_said_of_putting_it_into_service(tmp_path: Path) -> None:
    manage = Path(__file__).resolve().parent.parent / "manage.py"
    address = {"PUBLIC_URL": "https://workflows.example.com"}
    ended = subprocess.run(
        [sys.executable, str(manage), "check", "--deploy", "--fail-level", "WARNING"],
        env={"DATA_DIR": str(tmp_path), **address, **ACCOUNT},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
