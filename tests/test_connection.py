"""Which accounts are configured, and one client for each as long as its settings stay the same."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard import cloudflare, connection
from dashboard.cloudflare import Lane
from dashboard.simulator.access import EMAIL, KEY
from dashboard.simulator.server import Server

TOKEN = "tok-not-to-be-shown"


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
        monkeypatch.delenv(name)
    yield
    connection.disconnect()


def test_nothing_set_means_no_account() -> None:
    assert connection.configured_accounts() == {}


def test_one_account_is_called_by_its_name_or_the_start_of_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef")
    assert connection.account_setting("0123456789abcdef").name == "account 01234567"

    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_NAME", "Shop")
    assert connection.account_setting("0123456789abcdef").name == "Shop"


def test_several_accounts_have_variables_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNTS", "prod my-staging")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "of-nobody")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID_PROD", "p1")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID_MY_STAGING", "s1")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN_MY_STAGING", TOKEN)

    accounts = connection.configured_accounts()

    assert {id_: account.name for id_, account in accounts.items()} == {
        "p1": "prod",
        "s1": "my-staging",
    }
    assert [account.has_credentials for account in accounts.values()] == [False, True]


def test_wrangler_dev_needs_no_account_and_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:8787")

    account = connection.account_setting("local")

    assert (account.name, account.target.needs_token) == ("wrangler dev", False)


def test_a_token_shows_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)

    account = connection.account_setting("acc1")
    texts = [repr(account), str(account), repr(connection.connect("acc1"))]

    assert account.credentials.token == TOKEN
    assert all(TOKEN not in text for text in texts)


def test_an_account_that_is_not_configured_is_named() -> None:
    with pytest.raises(connection.UnknownAccount, match="No account acc1 is configured here"):
        connection.connect("acc1")


def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", "http://[::1")

    with pytest.raises(ImproperlyConfigured, match="CLOUDFLARE_API_BASE_URL is no address"):
        connection.configured_accounts()


def test_the_same_settings_share_a_client_and_others_get_another(
    configured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = connection.connect(configured.account_id)
    again = connection.connect(configured.account_id, Lane.BACKFILL)
    assert again._transport._http is first._transport._http
    assert (first.lane, again.lane) == (Lane.PERSON, Lane.BACKFILL)

    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", configured.read_only_token)

    other = connection.connect(configured.account_id)
    assert other._transport._http is not first._transport._http


def test_threads_that_ask_at_once_share_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "one")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    made, is_another = [], threading.Event()

    class Slow(cloudflare.Client):
        def __init__(self, *args: Any, **facts: Any) -> None:
            if made:
                is_another.set()
            made.append(self)
            is_another.wait(0.2)  # Until another thread is here too, if it may be.
            super().__init__(*args, **facts)

    monkeypatch.setattr(connection.cloudflare, "Client", Slow)
    threads = [threading.Thread(target=connection.connect, args=["one"]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_a_token_file_that_is_replaced_is_read_anew(
    configured: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("an old token\n".replace(" ", "-"))
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN_FILE", str(file))
    before = connection.connect(configured.account_id)
    file.write_text(f"{configured.token}\n")

    after = connection.connect(configured.account_id)

    assert after is not before
    assert list(after.list_workflows()) == []


def test_the_older_email_and_key_open_the_account(
    configured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    monkeypatch.setenv("CLOUDFLARE_EMAIL", EMAIL)
    monkeypatch.setenv("CLOUDFLARE_API_KEY", KEY)

    assert list(connection.connect(configured.account_id).list_workflows()) == []
