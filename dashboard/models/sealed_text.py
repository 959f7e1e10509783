"""Text that only this dashboard can read: a copy of its database alone opens nothing.

The key comes from SECRET_KEY. With another SECRET_KEY nothing that was sealed can be opened any
more, and has to be written again; SECRET_KEY_FALLBACKS opens what was sealed before.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class CannotOpen(Exception):
    """It was sealed with another SECRET_KEY."""


def seal(text: str) -> str:
    """The text as only `unseal` reads it; another each time."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed; raises CannotOpen."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotOpen(
            "Its address was sealed with another SECRET_KEY and cannot be opened; write it again."
        ) from None


def _keys() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str | bytes) -> bytes:
    digest = hashlib.sha256(b"dashboard.sealed_text" + force_bytes(secret)).digest()
    return base64.urlsafe_b64encode(digest)
