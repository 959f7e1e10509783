"""How much background work may ask."""

from __future__ import annotations

from django.conf import settings

from dashboard.cloudflare.budget import QUOTA, WINDOW


def rate() -> float:
    """Requests per second, over all processes."""
    return float(settings.BUDGET_SHARE / 100 * QUOTA / WINDOW)
