"""What a failure of Cloudflare means for a reader of ours, as an HTTP status."""

from __future__ import annotations

from http import HTTPStatus

from dashboard.cloudflare import errors

#: The first that fits. A token that Cloudflare refuses is ours, not the reader's: no 401 or 403.
_STATUSES: tuple[tuple[type[errors.CloudflareError], HTTPStatus], ...] = (
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.RateLimited, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.Invalid, HTTPStatus.BAD_REQUEST),
    (errors.Unsupported, HTTPStatus.NOT_IMPLEMENTED),
    (errors.Unreachable, HTTPStatus.GATEWAY_TIMEOUT),
)


def status_of(failure: errors.CloudflareError) -> HTTPStatus:
    """The true status of a page that could not be had from Cloudflare."""
    fitting = (status for kind, status in _STATUSES if isinstance(failure, kind))
    return next(fitting, HTTPStatus.BAD_GATEWAY)
