"""What is kept for a while: by each process for itself, but what all of them must know."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache

#: Attempts to sign in, and codes that were used: counted over all processes.
SHARED = "allauth"


class OwnAndShared(LocMemCache):
    """In memory, except for what allauth keeps: that is in the database, which signing in needs
    anyway, so that it holds for all processes and outlives them."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self._shared = DatabaseCache("dashboard_sharedcache", params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._of(key).get(key, default, version)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        self._of(key).set(key, value, *args, **kwargs)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(self._of(key).add(key, value, *args, **kwargs))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._of(key).delete(key, version))

    def _of(self, key: str) -> Any:
        return self._shared if key.startswith(SHARED) else super()
