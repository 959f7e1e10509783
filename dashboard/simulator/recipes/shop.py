"""The shop: orders, refunds."""

from __future__ import annotations

from random import Random
from typing import Any

from dashboard.simulator.clock import HOUR, MINUTE, SECOND
from dashboard.simulator.facts import Facts
from dashboard.simulator.plan import Act, Do, Failure, Plan, Retries, Sleep, Stream, in_turn

PATIENT = Retries(limit=5, delay="10 seconds", backoff="exponential")
SLOW_UNDO = Retries(limit=2, delay="1 minute", backoff="linear")


def order_params(facts: Facts) -> Any:
    """What starts an order."""
    return {
        "orderId": f"A-{facts.order}",
        "customer": facts.email,
        "items": facts.items,
        "total": {"cents": facts.cents, "currency": "EUR"},
        "shipTo": facts.city,
    }


def _provider_error(facts: Facts, chance: Random, attempt: int, *, is_last: bool) -> Failure:
    """One cause, many texts: ids, amounts and durations differ from message to message. The one
    that an instance fails with names the provider."""
    request = f"req_{facts.key[:8]}{attempt:02d}"
    if chance.random() < 0.7 or is_last:
        return Failure(
            "PaymentProviderError",
            f"POST /v2/charges failed for order A-{facts.order}: 503 Service Unavailable "
            f"(request {request}, {facts.chance.randrange(1_800, 9_900)} ms)",
        )
    return Failure("WorkflowTimeoutError", "Execution timed out after 10000ms")


def order_pipeline(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Validate, reserve in parallel, charge, cool off, ship."""
    acts = _order_acts(chance, outcome)
    cooling = Sleep("cooling off", 2 * HOUR if outcome == "forgotten" else 30 * SECOND)
    label = Stream(chance.randrange(60_000, 260_000))
    order = f"A-{facts.order}"
    return Plan(
        in_turn(
            Do("validate order", chance.randrange(20, 240), {"orderId": order}),
            _checks(chance, facts),
            _charge(chance, outcome, facts),
            cooling,
            (
                Do("book carrier leg", chance.randrange(200, 1_500), {"leg": "first"}),
                Do("book carrier leg", chance.randrange(200, 1_500), {"leg": "second"}),
            ),
            Do("render label", chance.randrange(400, 3_000), label),
            Do("send confirmation", chance.randrange(80, 700), f"sent to {facts.email}"),
        ),
        output={"orderId": order, "charged": facts.cents, "tracking": f"NP{facts.key.upper()}"},
        acts=acts,
    )


def _order_acts(chance: Random, outcome: str) -> tuple[Act, ...]:
    """What people did to an order: paused and forgot it, cancelled it, held it for a while."""
    if outcome == "forgotten":
        return (Act(chance.randrange(20 * SECOND, 90 * SECOND), "pause"),)
    if outcome == "cancelled":
        return (Act(chance.randrange(12 * SECOND, 30 * SECOND), "terminate"),)
    if outcome == "held":
        resumed = chance.randrange(10 * MINUTE, 40 * MINUTE)
        return (Act(15 * SECOND, "pause"), Act(resumed, "resume"))
    return ()


def _checks(chance: Random, facts: Facts) -> tuple[Do, ...]:
    """Three steps side by side."""
    stock = {"reserved": facts.items, "warehouse": facts.city}
    fraud = {"score": round(facts.cents / 100_000, 2), "verdict": "pass"}
    return (
        Do("reserve stock", chance.randrange(120, 2_500), stock),
        Do("check fraud", chance.randrange(300, 4_000), fraud),
        Do("quote shipping", chance.randrange(60, 900), {"carrier": "north-post", "cents": 499}),
    )


def _charge(chance: Random, outcome: str, facts: Facts) -> Do:
    ms = chance.randrange(400, 2_500)
    count = {"provider-down": 6, "provider-slow": chance.choice((2, 3)), "hiccup": 1}.get(
        outcome, 0
    )
    failures = [_provider_error(facts, chance, n, is_last=n == count) for n in range(1, count + 1)]
    if outcome == "declined":
        failures = [
            Failure("NonRetryableError", f"card of {facts.email} was declined: insufficient_funds")
        ]
    return Do(
        "charge card",
        10_004 if count > 1 else ms,
        {"charge": f"ch_{facts.key}", "card": "4242"},
        failures=tuple(failures),
        fails=outcome in {"provider-down", "declined"},
        retries=PATIENT,
        timeout="10 seconds",
        sensitive=True,
    )


def refund_params(facts: Facts) -> Any:
    """What starts a refund."""
    return {"case": f"R-{facts.order}", "orderId": f"A-{facts.order + 17}", "cents": facts.cents}


def refund_saga(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Hold, credit, close; each step knows how to undo itself, and undoing is slow."""
    slow = outcome in {"undone-slowly", "terminated-slowly"}
    undo = chance.randrange(11 * MINUTE, 14 * MINUTE) if slow else chance.randrange(900, 9_000)
    acts = (Act(40 * SECOND, "terminate", rollback=True),) if outcome == "terminated-slowly" else ()
    hold = Do(
        "place hold",
        chance.randrange(200, 2_000),
        {"hold": f"h-{facts.order}"},
        undo_ms=undo,
        undo_fails=outcome == "not-undone",
        retries=SLOW_UNDO,
        timeout="30 minutes",
    )
    credit = Do(
        "credit account",
        chance.randrange(200, 2_000),
        {"credit": f"c-{facts.order}", "cents": facts.cents},
        undo_ms=undo,
        retries=SLOW_UNDO,
        timeout="30 minutes",
    )
    notify = Do("notify customer", chance.randrange(80, 900), f"mail to {facts.email}")
    return Plan(
        in_turn(hold, credit, notify, _close(chance, outcome, facts)),
        output={"case": f"R-{facts.order}", "refunded": facts.cents},
        acts=acts,
    )


def _close(chance: Random, outcome: str, facts: Facts) -> Do:
    failing = outcome in {"undone", "undone-slowly", "not-undone"}
    failure = Failure(
        "CaseSystemError", f"case R-{facts.order} is open at another desk (request req_{facts.key})"
    )
    if outcome == "undone-slowly":
        failure = Failure(
            "LedgerLockedError",
            f"closing R-{facts.order} failed: ledger partition {facts.order % 16} is locked by job "
            f"{facts.key}",
        )
    return Do(
        "close case",
        9 * MINUTE if outcome == "terminated-slowly" else chance.randrange(300, 6_000),
        {"closed": True},
        failures=(failure,) * (1 + SLOW_UNDO.limit) if failing else (),
        fails=failing,
        retries=SLOW_UNDO,
        timeout="15 minutes",
    )
