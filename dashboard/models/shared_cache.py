from __future__ import annotations

from django.db import models


class SharedCache(models.Model):
    """Where Django's own database cache keeps what all processes must know: see `caches.py`."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
