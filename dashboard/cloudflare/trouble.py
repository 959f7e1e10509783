"""What goes wrong on the way to Cloudflare, as sentences for the person who has to act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from dashboard.cloudflare.errors import Invalid, UnexpectedResponse, Unreachable
from dashboard.cloudflare.responses import Request

#: The connection was never made, so nothing was sent.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@contextmanager
def told(request: Request) -> Iterator[None]:
    """Turn httpx's exceptions into ours, one kind at a time.

    httpx.TransportError would be one word for all of them, but it also covers mistakes of our own,
    such as a header that cannot be sent, which no second try repairs.
    """
    title = request.title
    try:
        yield
    except NEVER_SENT as error:
        reason = request.redact(str(error)) or "no connection in time"
        message = f"{title} cannot be reached ({reason}). Nothing was sent."
        raise Unreachable(message, was_sent=False) from _bare(error)
    except httpx.TimeoutException as error:
        raise Unreachable(f"{title} did not answer in time. {request.advice}") from _bare(error)
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        message = f"The connection to {title} broke before the answer was complete."
        raise Unreachable(f"{message} {request.advice}") from _bare(error)
    except httpx.DecodingError as error:
        message = f"{title} answered with a compressed body that cannot be read. {request.advice}"
        raise UnexpectedResponse(message) from _bare(error)
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError):
        # Without its cause: that one quotes the header or the address, with what is secret in it.
        message = f"This request to {title} cannot be sent: check the base URL and what was typed."
        raise Invalid(message, was_sent=False) from None


def _bare(error: httpx.HTTPError) -> httpx.HTTPError:
    """A cause without the frames below it: they hold the headers, and debug pages show locals."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
