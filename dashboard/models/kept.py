"""Rows that say what people did: written once, and never changed or deleted by hand."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class KeptForGood(TypeError):
    """What people did is written once: it is neither changed nor deleted."""


class Kept(models.Model):
    """A row that the application writes once and then moves only by statements of its own."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise KeptForGood(f"{self._meta.verbose_name} {self.pk} is kept as it was written.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise KeptForGood(f"{self._meta.verbose_name} {self.pk} is kept for good.")
