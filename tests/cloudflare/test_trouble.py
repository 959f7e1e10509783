"""What goes wrong on the way, one kind at a time."""

from __future__ import annotations

import traceback

import httpx
import pytest

from dashboard import cloudflare
from dashboard.cloudflare import CloudflareError, trouble
from dashboard.cloudflare.responses import Request
from tests.cloudflare.conftest import TOKEN


def request(method: str = "PATCH") -> Request:
    return Request("Cloudflare", method, "a", "token", lambda text: text.replace(TOKEN, "***"))


@pytest.mark.parametrize(
    ("error", "expected", "was_sent"),
    [
        (httpx.ConnectError("refused"), cloudflare.Unreachable, False),
        (httpx.ConnectTimeout(""), cloudflare.Unreachable, False),
        (httpx.PoolTimeout(""), cloudflare.Unreachable, False),
        (httpx.ProxyError("407"), cloudflare.Unreachable, False),
        (httpx.ReadTimeout(""), cloudflare.Unreachable, True),
        (httpx.WriteTimeout(""), cloudflare.Unreachable, True),
        (httpx.ReadError(""), cloudflare.Unreachable, True),
        (httpx.WriteError(""), cloudflare.Unreachable, True),
        (httpx.CloseError(""), cloudflare.Unreachable, True),
        (httpx.RemoteProtocolError("cut"), cloudflare.Unreachable, True),
        (httpx.DecodingError("gzip"), cloudflare.UnexpectedResponse, True),
        (httpx.LocalProtocolError(f"Bearer {TOKEN}"), cloudflare.Invalid, False),
        (httpx.UnsupportedProtocol(""), cloudflare.Invalid, False),
        (httpx.InvalidURL("too long"), cloudflare.Invalid, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_says_whether_cloudflare_can_have_seen_the_request(
    error: Exception, expected: type[CloudflareError], was_sent: bool
) -> None:
    with pytest.raises(CloudflareError) as caught, trouble.told(request()):
        raise error
    assert type(caught.value) is expected
    assert caught.value.was_sent is was_sent
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    if was_sent:
        assert str(caught.value).endswith(
            "It may have happened all the same: look at the instance before you try again."
        )


def test_a_read_is_not_told_to_look_first() -> None:
    with pytest.raises(CloudflareError) as caught, trouble.told(request("GET")):
        raise httpx.ReadTimeout("")
    assert str(caught.value) == "Cloudflare did not answer in time. Try again in a moment."


def test_what_is_not_httpx_passes() -> None:
    with pytest.raises(KeyError), trouble.told(request()):
        raise KeyError


def test_no_frame_that_holds_the_headers_can_be_seen_below_a_failure() -> None:
    def write_headers(secret: str) -> None:
        raise httpx.WriteError("broken pipe") from OSError(secret)

    with pytest.raises(CloudflareError) as caught, trouble.told(request()):
        write_headers(TOKEN)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TOKEN not in "".join(shown.format())
    assert isinstance(caught.value.__cause__, httpx.WriteError)
