"""Reading the diagram of a version, once: a version never changes."""

from __future__ import annotations

from datetime import datetime

from dashboard.cloudflare import Client
from dashboard.models import Version, recording


def read_graph(client: Client, version: Version, *, now: datetime) -> None:
    """Reads the diagram and writes it down; raises CloudflareError."""
    told = client.get_graph(version.workflow.name, version.version_id)
    recording.record_graph(version, told, now=now)
