"""What a person asks for -> Cloudflare -> the changed row, the audit entry, the next look.

One instance: `choices` what can be asked, `performing` asks, `following` looks until it is seen.
New ones: `creating`, a batch of them written down by `proposing` first. Many: `planning` what it
would do, `beginning` writes it down, `running` works on it in `waves`, `watching` sees what became
of it, `steering` pauses and stops it.
"""

from dashboard.operations.beginning import STOP_ABOVE, WAVES, Terms, begin
from dashboard.operations.choices import (
    DANGEROUS,
    Choice,
    choices,
    form_query,
    refusal,
    refusal_for_operation,
    refusal_for_user,
    refusal_for_workflow,
)
from dashboard.operations.creating import cost, create
from dashboard.operations.effects import effects
from dashboard.operations.following import follow_due, judge_open, look
from dashboard.operations.performing import Wanted, perform
from dashboard.operations.planning import BULK_KINDS, MOST, Plan, kinds_on_offer, plan
from dashboard.operations.proposing import New, propose, propose_failed
from dashboard.operations.running import due, run
from dashboard.operations.steering import STEERING, steer

__all__ = [
    "BULK_KINDS",
    "DANGEROUS",
    "MOST",
    "STEERING",
    "STOP_ABOVE",
    "WAVES",
    "Choice",
    "New",
    "Plan",
    "Terms",
    "Wanted",
    "begin",
    "choices",
    "cost",
    "create",
    "due",
    "effects",
    "follow_due",
    "form_query",
    "judge_open",
    "kinds_on_offer",
    "look",
    "perform",
    "plan",
    "propose",
    "propose_failed",
    "refusal",
    "refusal_for_operation",
    "refusal_for_user",
    "refusal_for_workflow",
    "run",
    "steer",
]
