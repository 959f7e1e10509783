"""Where the links of an alert lead, also from outside of the dashboard."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings

from dashboard.models import AlertIncident


def since_path(at: datetime) -> str:
    """The page of what has changed since that moment."""
    return f"/since/?{urlencode({'at': at.isoformat(timespec='seconds')})}"


def outside(path: str) -> str:
    """The whole address of a page, for a message."""
    home = settings.PUBLIC_URL.rstrip("/") or f"http://{settings.BIND}:{settings.PORT}"
    return f"{home}{path}"


def incident_url(incident: AlertIncident) -> str:
    return outside(incident.get_absolute_url())


def since_url(incident: AlertIncident) -> str:
    """What has changed since before its cause began."""
    return outside(since_path(incident.began_at))
