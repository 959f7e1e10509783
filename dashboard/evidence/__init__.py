"""What an instance was, kept: snapshots of it, and how one of them is found again.

On Cloudflare a restart erases the steps in place, and finished instances are deleted after days.
"""

from dashboard.evidence.expiring import keep_due
from dashboard.evidence.finding import Evidence, NoEvidence, find, of_instance, of_snapshot
from dashboard.evidence.freezing import MOST, FrozenInstance, redacted, shown
from dashboard.evidence.keeping import NotKept, keep_whole

__all__ = [
    "MOST",
    "Evidence",
    "FrozenInstance",
    "NoEvidence",
    "NotKept",
    "find",
    "keep_due",
    "keep_whole",
    "of_instance",
    "of_snapshot",
    "redacted",
    "shown",
]
