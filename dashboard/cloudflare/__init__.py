"""The Workflows API in Python. Knows no Django, no Celery."""

from dashboard.cloudflare.client import Client, Credentials

__all__ = ["Client", "Credentials"]
