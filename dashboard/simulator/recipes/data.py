"""Data and media: scheduled reports, flaky imports, transcoding, an old newsletter."""

from __future__ import annotations

from random import Random
from typing import Any

from dashboard.simulator.clock import MINUTE, SECOND
from dashboard.simulator.facts import Facts
from dashboard.simulator.plan import Act, Do, Failure, Plan, Retries, Step, Stream, in_turn

ITEMS = 120


def report_params(_facts: Facts) -> Any:
    """A schedule gives no params."""
    return {}


def nightly_report(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Gather, aggregate in parallel, render a PDF, send it."""
    rows = [
        {"city": facts.city, "orders": facts.order % (n + 7), "cents": facts.cents * n}
        for n in range(240)
    ]
    regions = ("north", "south", "overseas")
    broken = outcome == "broken"
    failure = Failure(
        "D1Error",
        f"D1_ERROR: too many SQL variables: {facts.order % 900 + 100} at offset {facts.cents}",
    )
    render = Do(
        "render pdf",
        chance.randrange(3_000, 20_000),
        Stream(chance.randrange(400_000, 1_400_000)),
        failures=(failure,) * 3 if broken else (),
        fails=broken,
        retries=Retries(2, "5 seconds", "linear"),
        timeout="2 minutes",
    )
    return Plan(
        in_turn(
            Do("gather orders", chance.randrange(2_000, 30_000), rows),
            tuple(
                Do(
                    f"aggregate {name}",
                    chance.randrange(3_000, 60_000),
                    {"region": name, "orders": facts.order % 311},
                )
                for name in regions
            ),
            render,
            Do("send report", chance.randrange(200, 2_000), "sent to reports@example.com"),
        ),
        output=" ".join(f"{row['city']}: {row['orders']}" for row in rows[:80]),
    )


def import_params(facts: Facts) -> Any:
    """Where the rows come from."""
    return {
        "source": f"s3://partner-{facts.city.lower()}/{facts.order}.csv",
        "mode": "upsert",
        "batch": facts.items * 100,
    }


def flaky_import(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Open, process many items of one name, import with retries, tidy up."""
    many = ITEMS if outcome == "many" else chance.randrange(3, 9)
    items: list[Step] = [
        Do("process item", chance.randrange(60, 500), {"row": n, "key": f"{facts.key}-{n}"})
        for n in range(many)
    ]
    return Plan(
        in_turn(
            Do("open source", chance.randrange(100, 1_500), {"source": f"{facts.order}.csv"}),
            _enrich(chance, outcome, facts),
            *items,
            _import_rows(chance, outcome, facts),
            Do("remove temporary files", chance.randrange(30, 300)),
        ),
        output=facts.order % 5_000,
    )


def _enrich(chance: Random, outcome: str, facts: Facts) -> Do:
    """May fail: the workflow catches it and goes on."""
    fails = outcome == "caught"
    failure = Failure("TypeError", "Cannot read properties of undefined (reading 'rows')")
    return Do(
        "optional enrichment",
        chance.randrange(200, 2_000),
        {"enriched": facts.order},
        failures=(failure,) * 2 if fails else (),
        fails=fails,
        caught=True,
        retries=Retries(1, 500, "constant"),
    )


def _import_rows(chance: Random, outcome: str, facts: Facts) -> Do:
    count = {"recovers": 2, "exhausted": 4, "exhausting": 4}.get(outcome, 0)
    failures = tuple(
        Failure(
            "Error", f"upstream {facts.key} returned 503 on attempt {n} after {900 + n * 37} ms"
        )
        for n in range(1, count + 1)
    )
    if outcome == "unreadable":
        text = f"column {facts.items} of {facts.order}.csv is not UTF-8"
        failures = (Failure("NonRetryableError", text),)
    slow = Retries(3, "4 minutes" if outcome == "exhausting" else "20 seconds", "linear")
    return Do(
        "import rows",
        chance.randrange(500, 9_000),
        {"imported": facts.order % 5_000},
        failures=failures,
        fails=outcome in {"exhausted", "exhausting", "unreadable"},
        retries=Retries(4, "[dynamic]", None) if outcome == "recovers" else slow,
        timeout="30 seconds",
    )


def video_params(facts: Facts) -> Any:
    """What is to be transcoded."""
    return {"video": f"vid_{facts.key}", "bucket": "uploads", "seconds": facts.cents // 7}


def video_transcode(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Probe, transcode three sizes side by side for a long time, publish."""
    hours = outcome in {"paused-busy", "long"}
    low, high = (34, 44) if hours else (2, 12)
    base = chance.randrange(low * MINUTE, high * MINUTE)
    acts: tuple[Act, ...] = ()
    if outcome == "paused-busy":
        acts = (
            Act(chance.randrange(40 * SECOND, 3 * MINUTE), "pause"),
            Act(chance.randrange(100 * MINUTE, 160 * MINUTE), "resume"),
        )
    url = f"https://video.example.com/{facts.key}"
    return Plan(
        in_turn(
            Do("probe", chance.randrange(400, 4_000), {"codec": "h264", "fps": 25}),
            (
                _transcode("360p", base // 4, facts),
                _transcode("720p", base // 2, facts),
                _transcode("1080p", base, facts, broken=outcome == "broken"),
            ),
            Do("publish", chance.randrange(300, 2_000), {"url": url}),
        ),
        output={"video": f"vid_{facts.key}", "sizes": 3},
        acts=acts,
    )


def _transcode(size: str, ms: int, facts: Facts, *, broken: bool = False) -> Do:
    failure = Failure("Error", f"ffmpeg exited with code 1: moov atom not found in vid_{facts.key}")
    return Do(
        f"transcode {size}",
        ms,
        {"file": f"vid_{facts.key}_{size}.mp4"},
        failures=(failure,) * 2 if broken else (),
        fails=broken,
        retries=Retries(1, "10 seconds", "constant"),
        timeout="1 hour",
    )


def newsletter_params(facts: Facts) -> Any:
    """One issue of the newsletter."""
    return {"issue": facts.order % 90, "list": "customers"}


def newsletter(chance: Random, outcome: str, facts: Facts) -> Plan:
    """Send in slices; the Worker behind it is gone."""
    acts = (Act(4 * SECOND, "terminate"),) if outcome == "stopped" else ()
    slices = [
        Do("send slice", chance.randrange(900, 5_000), {"sent": facts.order % 400})
        for _ in range(6)
    ]
    return Plan(in_turn(*slices), output=f"{facts.order} sent", acts=acts)
