"""What a person asks for -> Cloudflare -> the changed row, the audit entry, the next look."""

from dashboard.operations.choices import Choice, choices, refusal, refusal_for_user
from dashboard.operations.following import follow_due, judge, look
from dashboard.operations.performing import Wanted, create, perform

__all__ = [
    "Choice",
    "Wanted",
    "choices",
    "create",
    "follow_due",
    "judge",
    "look",
    "perform",
    "refusal",
    "refusal_for_user",
]
