"""How the simulated account says no: status, code and words as the real one spells them."""

from __future__ import annotations


class Refusal(Exception):
    """An answer with `success: false`."""

    def __init__(
        self, http_status: int, code: int, message: str, *, chain: tuple[int, str] | None = None
    ) -> None:
        """`chain` is the one entry of `error_chain`: its code and message."""
        super().__init__(message)
        self.http_status, self.code, self.message, self.chain = http_status, code, message, chain


def no_workflow() -> Refusal:
    """No workflow of this name."""
    return Refusal(404, 10200, "workflows.api.error.workflow.not_found")


def no_instance() -> Refusal:
    """No instance of this id, or its retention is over."""
    return Refusal(404, 10400, "workflows.api.error.instance.not_found")


def no_version() -> Refusal:
    """No version of this id."""
    return Refusal(404, 10300, "workflows.api.error.version.not_found")


def bad_query(message: str) -> Refusal:
    """A query parameter that cannot be."""
    return Refusal(400, 10001, message)


def bad_body(detail: str = "") -> Refusal:
    """A body that is missing or has the wrong shape."""
    return Refusal(400, 10002, "workflows.api.error.body" + (f": {detail}" if detail else ""))


def no_route(path: str) -> Refusal:
    """Nothing lives at this path."""
    return Refusal(
        404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?"
    )


def cannot_terminate() -> Refusal:
    """It has finished already."""
    return Refusal(409, 10401, "workflows.api.error.instance.cannot_terminate")
