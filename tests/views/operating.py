"""What the tests of the operations pages share: opening a form, and sending what it holds."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from tests.fixtures import Watched

NEW = "/operations/new/"
OPERATIONS = "/operations/"


def form_url(watched: Watched, kind: str, instance_id: str = "", **more: str) -> str:
    """The address of the form for one kind of operation."""
    query = {
        "kind": kind,
        "account_id": watched.account.account_id,
        "workflow_name": "orders",
    }
    return (
        f"{NEW}?{urlencode(query | ({'instance_id': instance_id} if instance_id else {}) | more)}"
    )


def fields(page: str) -> dict[str, str]:
    """What the page's form would send as it stands: its hidden and filled-in fields."""
    form = page[page.index('<form class="form-rows"') :]
    found = {
        match[1]: html.unescape(match[2])
        for match in re.finditer(r'<input type="[a-z]+" name="([^"]+)" value="([^"]*)"', form)
    }
    areas = re.finditer(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
    return found | {match[1]: html.unescape(match[2]) for match in areas}


def fill_in(browser: Client, url: str, **typed: str) -> dict[str, str]:
    """The form at this address with what somebody typed into it."""
    response = browser.get(url)
    assert response.status_code == 200, response.content.decode()
    return fields(response.content.decode()) | typed


def send(browser: Client, form: dict[str, str], **more: Any) -> Any:
    return browser.post(OPERATIONS, form, **more)
