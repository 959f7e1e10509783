"""Where people take part: approvals that wait for a decision, onboarding that sleeps for days."""

from __future__ import annotations

from random import Random
from typing import Any

from dashboard.simulator.clock import DAY, HOUR, MINUTE, SECOND
from dashboard.simulator.facts import Facts
from dashboard.simulator.plan import Act, Do, Failure, Plan, Retries, Sleep, Wait, in_turn


def approval_params(facts: Facts) -> Any:
    """What is to be approved."""
    return {
        "request": f"P-{facts.order}",
        "what": f"budget of {facts.cents} EUR",
        "by": facts.email,
    }


def approval(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Ask, wait for a decision, record it."""
    after = {
        "decided": chance.randrange(4 * MINUTE, 50 * MINUTE),
        "decided-late": chance.randrange(5 * HOUR, 20 * HOUR),
        "rejected": chance.randrange(3 * MINUTE, 90 * MINUTE),
    }.get(outcome)
    timeout = "15 minutes" if outcome == "too-late" else "7 days"
    approved = outcome != "rejected"
    payload = {"approved": approved, "by": f"{facts.customer}@example.com"}
    verdict = Do(
        "record decision",
        chance.randrange(60, 800),
        {"approved": approved},
        failures=(Failure("NonRetryableError", f"P-{facts.order} was rejected"),) * (not approved),
        fails=not approved,
    )
    acts = (
        (Act(chance.randrange(2 * MINUTE, 6 * MINUTE), "pause"),) if outcome == "forgotten" else ()
    )
    return Plan(
        in_turn(
            Do(
                "ask for approval",
                chance.randrange(100, 1_200),
                {"asked": f"P-{facts.order}", "channel": "#spending"},
            ),
            Wait(
                "wait for decision",
                "approval-decision",
                timeout,
                after,
                payload,
                shown_as="running",
            ),
            verdict,
        ),
        output=payload,
        acts=acts,
    )


def onboarding_params(facts: Facts) -> Any:
    """Who was welcomed."""
    return {
        "customer": facts.email,
        "plan": "team" if facts.items > 3 else "solo",
        "city": facts.city,
    }


def customer_onboarding(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Welcome, sleep for days, check in, wait for the profile, sleep again. `hanging`: the very
    first step does not come to an end."""
    silent = outcome == "silent"
    acts = (Act(HOUR, "pause"),) if outcome == "forgotten" else ()
    if outcome == "left":
        acts = (Act(chance.randrange(2 * HOUR, 20 * HOUR), "terminate"),)
    short = outcome == "short"
    return Plan(
        in_turn(
            Do(
                "create workspace",
                30 * DAY if outcome == "hanging" else chance.randrange(400, 3_000),
                {"workspace": f"ws-{facts.key}"},
                timeout="60 days",
            ),
            Do("send welcome mail", chance.randrange(90, 900), f"sent to {facts.email}"),
            Sleep("let them look around", 10 * MINUTE if short else 3 * DAY),
            Do(
                "check in",
                chance.randrange(90, 900),
                {"opened": facts.items},
                retries=Retries(3, 60_000, "constant"),
            ),
            Wait(
                "wait for profile",
                "profile-completed",
                "48 hours",
                None if silent else chance.randrange(20 * MINUTE, 9 * HOUR),
                {"fields": facts.items, "at": facts.city},
                caught=True,
            ),
            Sleep("before first invoice", 30 * SECOND if short else 14 * DAY),
            Do("hand over to success team", chance.randrange(100, 900), {"owner": facts.customer}),
        ),
        output={"workspace": f"ws-{facts.key}", "profile": not silent},
        acts=acts,
    )
