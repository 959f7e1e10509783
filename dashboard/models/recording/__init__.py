"""Writing down what Cloudflare said: idempotent, and harmless when two processes do it at once."""

from dashboard.models.recording.details import record_absence, record_detail
from dashboard.models.recording.left import mark_left, mark_silent
from dashboard.models.recording.lists import SEEN_EVERY, Listed, Recorded, record_pages
from dashboard.models.recording.workflows import (
    record_graph,
    record_versions,
    record_workflow,
    record_workflows,
)

__all__ = [
    "SEEN_EVERY",
    "Listed",
    "Recorded",
    "mark_left",
    "mark_silent",
    "record_absence",
    "record_detail",
    "record_graph",
    "record_pages",
    "record_versions",
    "record_workflow",
    "record_workflows",
]
