"""The secret that opens an account, kept out of every text, log record and traceback."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field

import httpx

from dashboard.cloudflare.errors import Unauthorized


@dataclass(frozen=True)
class Credentials:
    """An API token, or the older e-mail and global key. `repr()` shows neither.

    The token wins when both are given. White space around them (the newline at the end of a
    secret file) is ignored.
    """

    token: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in ("token", "email", "key"):
            object.__setattr__(self, name, getattr(self, name).strip())

    @property
    def is_empty(self) -> bool:
        return not (self.token or (self.email and self.key))

    @property
    def kind(self) -> str:
        """What a message calls them."""
        return "e-mail and key" if self.key and not self.token else "token"

    @property
    def fingerprint(self) -> str:
        """A name for the secret from which nobody learns it: for what is kept per token."""
        secret = self.token or f"{self.email}\0{self.key}"
        return hashlib.sha256(f"workflows-dashboard\0{secret}".encode()).hexdigest()[:24]

    def redact(self, text: str) -> str:
        """`text` without the secrets, for words that come back from a server."""
        for secret in (self.token, self.key, self.email):
            if secret:
                text = text.replace(secret, "[redacted]")
        return text

    def headers(self) -> dict[str, str]:
        """The headers Cloudflare's page "Security" asks for; none when there is no secret.

        Raises `Unauthorized` (not sent) for a secret that no header can hold: httpx would refuse
        it too, with the secret in its message.
        """
        for secret in (self.token, self.email, self.key):
            if not all("!" <= character <= "~" for character in secret):
                message = (
                    f"The {self.kind} holds a space, a line break or another character that "
                    "cannot be sent. Copy it again."
                )
                raise Unauthorized(message, was_sent=False)
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.email and self.key:
            return {"X-Auth-Email": self.email, "X-Auth-Key": self.key}
        return {}


class CredentialsAuth(httpx.Auth):
    """Puts the secret on a request at the last moment, so that no other frame holds it."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self._credentials.headers())
        yield request
