"""The tree of failures.

    CloudflareError
      Unreachable            no answer: timeout, connection
      Unauthorized           the token is missing, wrong, or lacks the permission (says which)
      NotFound               the workflow, version or instance does not exist (any more)
      Conflict               the instance is not in a state that allows it, or the id is taken
      RateLimited            with retry_after
      Invalid                Cloudflare refused what we sent
      Failed                 Cloudflare's own 5xx, 10001, an HTML page
      UnexpectedResponse     an answer we cannot read; carries an excerpt, never the token
      Unsupported            this target has no such operation; nothing was sent

An error is mapped on Cloudflare's own code first, then on the HTTP status, then on the body
(<https://developers.cloudflare.com/api/resources/workflows/>; the codes stand in `responses.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class CloudflareError(Exception):
    """Something Cloudflare, or the way to it, refused us. `str()` is a sentence for people.

    `message`: the sentence. `code`: Cloudflare's own number, if it sent one. `http_status`: of the
    answer, if there was one. `ray`: the `cf-ray` header, for a support ticket. `was_sent`: False
    when it is certain that Cloudflare never saw the request, so that a write can be repeated.
    """

    message: str
    code: int | None = None
    http_status: int | None = None
    ray: str = ""
    was_sent: bool = True

    def __str__(self) -> str:
        return self.message


class Unreachable(CloudflareError):
    """No answer: the name does not resolve, the connection was refused, reset, or timed out."""


class Unauthorized(CloudflareError):
    """The token is missing, wrong, expired, or lacks a permission; the message says which."""


class NotFound(CloudflareError):
    """There is no such workflow, version or instance, or its retention has ended.

    `what` is "workflow", "version", "instance" or "" when the answer does not say.
    """

    what: str = ""


class Conflict(CloudflareError):
    """The state of the instance does not allow this, or an instance with this id exists."""


@dataclass(eq=False)
class RateLimited(CloudflareError):
    """Cloudflare asks us to stop. `retry_after`: seconds to wait, None when it did not say."""

    retry_after: float | None = None


class Invalid(CloudflareError):
    """Cloudflare understood the request and refused its content (400, 10002)."""


@dataclass(eq=False)
class Failed(CloudflareError):
    """Cloudflare's own failure: a 5xx, code 10001, or an HTML page from its edge."""

    excerpt: str = field(default="", repr=False)


@dataclass(eq=False)
class UnexpectedResponse(CloudflareError):
    """An answer that cannot be read: cut JSON, another content type, a missing result."""

    excerpt: str = field(default="", repr=False)


class Unsupported(CloudflareError):
    """The target has no such operation (a local `wrangler dev` lacks some); nothing was sent."""
