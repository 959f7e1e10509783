"""When a step is tried again, as the engine computes it.

With n attempts made: constant d, linear d·n, exponential d·2^(n-1), as in Cloudflare's
`workflows-shared/src/lib/retries.ts`. A delay that the workflow computes (`[dynamic]`) is unknown.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard.cloudflare.types import Step, StepConfig
from dashboard.insight.durations import duration

#: Beyond this the exact moment tells nothing, and 2^n leaves the range of a timedelta.
_FAR = timedelta(days=3650)


def attempts_allowed(config: StepConfig | None) -> int | None:
    """`limit` counts the retries; the first attempt is none."""
    return None if config is None or config.limit is None else config.limit + 1


def delay_after(config: StepConfig | None, attempts: int) -> timedelta | None:
    """How long the engine waits after this many attempts; None when nobody can tell."""
    delay = duration(config.delay) if config else None
    if config is None or delay is None or attempts < 1:
        return None
    factors = {"": 1 if attempts == 1 else 0, "constant": 1, "linear": attempts}
    if config.backoff == "exponential":
        # 2^64 of anything is beyond _FAR.
        factor = 2 ** min(attempts - 1, 64)
    else:
        factor = factors.get(config.backoff, 0)
    if not factor:
        return None
    return delay * factor if delay <= _FAR / factor else _FAR


def next_attempt_on(step: Step) -> datetime | None:
    """When a step whose last attempt failed is tried again; None when nobody can tell."""
    if not step.is_unfinished or not step.attempts or step.attempts[-1].success is not False:
        return None
    allowed = attempts_allowed(step.config)
    if allowed is not None and len(step.attempts) >= allowed:
        return None
    ended = step.attempts[-1].end
    delay = delay_after(step.config, len(step.attempts))
    try:
        return None if ended is None or delay is None else ended + delay
    except OverflowError:
        return None
