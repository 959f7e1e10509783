"""What a person asks for -> Cloudflare -> the changed row, the audit entry, the next look."""

from dashboard.operations.choices import (
    DANGEROUS,
    Choice,
    choices,
    refusal,
    refusal_for_user,
    refusal_for_workflow,
)
from dashboard.operations.effects import effects
from dashboard.operations.following import follow_due, judge_open, look
from dashboard.operations.performing import Wanted, create, perform

__all__ = [
    "DANGEROUS",
    "Choice",
    "Wanted",
    "choices",
    "create",
    "effects",
    "follow_due",
    "judge_open",
    "look",
    "perform",
    "refusal",
    "refusal_for_user",
    "refusal_for_workflow",
]
