"""`manage.py sync` copies the account once, and ends with an error when it could not."""

from __future__ import annotations

import os
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError

from dashboard.simulator.server import Server
from tests.fixtures import Watched


def sync(*arguments: str, **options: bool) -> str:
    out = StringIO()
    call_command("sync", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_account_is_copied_with_a_progress_bar(
    watched: Watched, configured: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    instance_id = watched.add("running")

    said = sync()

    assert said.startswith(f"account {configured.account_id[:8]}: 1 workflows, ")
    assert watched.copied() == {instance_id: "running"}
    assert "1/1" in capsys.readouterr().err


def test_only_the_named_account_is_synced(watched: Watched, configured: Server) -> None:
    watched.add("running")

    sync(configured.account_id)

    assert len(watched.copied()) == 1


def test_an_account_that_is_not_configured_is_named(watched: Watched, configured: Server) -> None:
    with pytest.raises(CommandError, match=r"Not configured here: nobody\."):
        sync(configured.account_id, "nobody")

    assert configured.requests == []


def test_nothing_configured_says_where_to_look(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
        monkeypatch.delenv(name)

    with pytest.raises(CommandError, match=r"`manage\.py check` says how"):
        sync()


def test_a_wrong_setting_stops_it_before_anything_is_asked(
    db: None, configured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")

    with pytest.raises(SystemCheckError, match="has no API token"):
        sync(skip_checks=False)

    assert configured.requests == []


def test_what_cloudflare_refuses_ends_the_command_with_its_sentence(
    watched: Watched, configured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "wrong-token")

    with pytest.raises(CommandError) as caught:
        sync()

    assert str(caught.value).startswith(f"account {configured.account_id[:8]}: ")
    assert "token" in str(caught.value)
    assert "wrong-token" not in str(caught.value)
