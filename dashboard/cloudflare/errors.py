"""The tree of failures.

    CloudflareError
      Unreachable            no answer: timeout, connection
      Unauthorized           the token is missing, wrong, or lacks the permission (says which)
      NotFound               the workflow, version or instance does not exist (any more)
      Conflict               the instance is not in a state that allows it, or the id is taken
      RateLimited            with retry_after
        BudgetSpent          we hold back ourselves, so that Cloudflare need not; nothing was sent
      Invalid                Cloudflare refused what we sent, or it cannot be sent
        CursorExpired        the place in a list is forgotten: begin again with the first page
      Failed                 Cloudflare's own 5xx, 10001, an HTML page
      UnexpectedResponse     an answer we cannot read; carries an excerpt, never the token
      Unsupported            this target has no such operation; nothing was sent

An error is mapped on Cloudflare's own code first, then on the HTTP status, then on the body
(<https://developers.cloudflare.com/api/resources/workflows/>; the codes stand in `responses.py`).
"""

from __future__ import annotations


class CloudflareError(Exception):
    """Something Cloudflare, or the way to it, refused us. `str()` is a sentence for people.

    `message`: the sentence. `code`: Cloudflare's own number, if it sent one. `http_status`: of the
    answer, if there was one. `ray`: the `cf-ray` header, for a support ticket. `was_sent`: False
    when it is certain that Cloudflare never saw the request, so that a write can be repeated.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        http_status: int | None = None,
        ray: str = "",
        was_sent: bool = True,
    ) -> None:
        # Only the message goes to `args`: copying and pickling call the class with `args` and
        # restore the rest from `__dict__`.
        super().__init__(message)
        self.message = message
        self.code = code
        self.http_status = http_status
        self.ray = ray
        self.was_sent = was_sent


class Unreachable(CloudflareError):
    """No answer: the name does not resolve, the connection was refused, reset, or timed out."""


class Unauthorized(CloudflareError):
    """The token is missing, wrong, expired, or lacks a permission; the message says which."""


class NotFound(CloudflareError):
    """There is no such workflow, version, instance or step, or its retention has ended.

    `what` is "workflow", "version", "instance", "step", or "" when the answer does not say.
    """

    what: str = ""


class Conflict(CloudflareError):
    """The state of the instance does not allow this, or an instance with this id exists."""


class RateLimited(CloudflareError):
    """Cloudflare asks us to stop. `retry_after`: seconds to wait, None when it did not say."""

    retry_after: float | None = None


class BudgetSpent(RateLimited):
    """Our own budget has no request left for this lane now: not a failure, only "go on later".

    `was_sent` is False, `retry_after` the seconds to wait, always known.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message, was_sent=False)
        self.retry_after: float = retry_after


class Invalid(CloudflareError):
    """Cloudflare refused the content of the request (400, 10002), or it was refused before that.

    `was_sent` is False when this client refused it: a path part `..`, a batch of 101 instances.
    """


class CursorExpired(Invalid):
    """Cloudflare no longer knows this place in the list; begin again with the first page."""


class Failed(CloudflareError):
    """Cloudflare's own failure: a 5xx, code 10001, or an HTML page from its edge.

    `excerpt`: at most 200 characters of text from the answer.
    """

    excerpt: str = ""


class UnexpectedResponse(CloudflareError):
    """An answer that cannot be read: cut JSON, another content type, a missing result.

    `excerpt`: at most 200 characters of text from the answer.
    """

    excerpt: str = ""


class Unsupported(CloudflareError):
    """The target has no such operation (a local `wrangler dev` lacks some); nothing was sent."""
