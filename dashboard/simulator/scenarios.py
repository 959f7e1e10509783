"""Named accounts to look at: quiet, busy, incident, empty, huge.

`incident` is the one to show. Two things broke: a payment provider began failing twenty minutes
ago, just after a new version of `order-pipeline` was deployed, which made it worse; and a ledger
keeps refunds from being closed. New customers hang in a step that usually takes seconds. What else
fails in it has always failed so, in `busy` too. Its outcomes hold their phases long enough, and
come often enough, that all nine statuses are there at any time.
"""

from __future__ import annotations

from dataclasses import replace

from .clock import DAY, HOUR, MINUTE, SECOND
from .definition import Definition, Kind, Scenario, VersionOf, Wrong
from .population import Retention
from .recipes import data, people, shop

BROKE = 20 * MINUTE
DEPLOYED = 22 * MINUTE
LEDGER_LOCKED = 40 * MINUTE
HANGING = 3 * HOUR
LONG_AGO = 3650 * DAY

ORDERS = Definition(
    "order-pipeline",
    "shop-orders",
    "OrderPipeline",
    shop.order_pipeline,
    shop.order_params,
    eras=((LONG_AGO, {"fine": 40, "hiccup": 4, "declined": 2, "cancelled": 1, "held": 1}),),
    share=44,
    every=20 * SECOND,
    id_prefix="order-",
    triggers=("binding", "binding", "binding", "api"),
    versions=(VersionOf(40 * DAY), VersionOf(9 * DAY), VersionOf(DEPLOYED, concurrency=50)),
)
REFUNDS = Definition(
    "refund-saga",
    "shop-orders",
    "RefundSaga",
    shop.refund_saga,
    shop.refund_params,
    eras=((LONG_AGO, {"fine": 18, "undone": 2, "not-undone": 1, "terminated-slowly": 1}),),
    share=10,
    every=2 * MINUTE,
    id_prefix="refund-",
    triggers=("event", "binding"),
    versions=(VersionOf(33 * DAY), VersionOf(12 * DAY)),
)
REPORTS = Definition(
    "nightly-report",
    "reporting",
    "NightlyReport",
    data.nightly_report,
    data.report_params,
    eras=((LONG_AGO, {"fine": 11, "broken": 1}),),
    share=0,
    cron="*/30 * * * *",
    versions=(
        VersionOf(60 * DAY, language="python", has_dag=False),
        VersionOf(20 * DAY, language="python", has_dag=False),
    ),
)
APPROVALS = Definition(
    "approval",
    "back-office",
    "Approval",
    people.approval,
    people.approval_params,
    eras=(
        (LONG_AGO, {"decided": 10, "decided-late": 5, "rejected": 2, "too-late": 2, "silent": 1}),
    ),
    share=8,
    every=4 * MINUTE,
    triggers=("api", "event"),
    versions=(VersionOf(50 * DAY), VersionOf(4 * DAY)),
)
IMPORTS = Definition(
    "flaky-import",
    "imports",
    "FlakyImport",
    data.flaky_import,
    data.import_params,
    eras=(
        (
            LONG_AGO,
            {"fine": 9, "many": 2, "recovers": 4, "exhausted": 2, "caught": 2, "unreadable": 1},
        ),
    ),
    share=14,
    every=3 * MINUTE,
    id_prefix="import_",
    triggers=("event",),
    versions=(VersionOf(25 * DAY), VersionOf(6 * DAY), VersionOf(2 * DAY)),
)
VIDEOS = Definition(
    "video-transcode",
    "media",
    "VideoTranscode",
    data.video_transcode,
    data.video_params,
    eras=((LONG_AGO, {"fine": 7, "long": 2, "broken": 1}),),
    share=9,
    every=4 * MINUTE,
    triggers=("binding", "event"),
    versions=(VersionOf(18 * DAY, concurrency=40), VersionOf(5 * DAY, concurrency=40)),
)
ONBOARDINGS = Definition(
    "customer-onboarding",
    "crm",
    "CustomerOnboarding",
    people.customer_onboarding,
    people.onboarding_params,
    eras=((LONG_AGO, {"usual": 8, "short": 3, "silent": 2, "left": 1}),),
    share=10,
    every=5 * MINUTE,
    id_prefix="customer-",
    triggers=("api", "unknown"),
    versions=(VersionOf(70 * DAY), VersionOf(30 * DAY, has_dag=False)),
)
NEWSLETTERS = Definition(
    "newsletter",
    "old-mailer",
    "Newsletter",
    data.newsletter,
    data.newsletter_params,
    eras=((LONG_AGO, {"fine": 4, "stopped": 1}),),
    share=5,
    stopped=26 * HOUR,
    script_deleted=True,
    retention=Retention(30 * DAY, 30 * DAY),
    triggers=("cron",),
)

HEALTHY = (ORDERS, REFUNDS, REPORTS, APPROVALS, IMPORTS, VIDEOS, ONBOARDINGS, NEWSLETTERS)


def _then(definition: Definition, mix: dict[str, int], since: int = BROKE) -> Definition:
    return replace(definition, eras=(*definition.eras, (since, mix)))


INCIDENT = (
    replace(
        _then(
            ORDERS,
            {
                "provider-down": 9,
                "provider-slow": 5,
                "fine": 6,
                "declined": 1,
                "held": 1,
                "cancelled": 1,
                "forgotten": 1,
            },
            DEPLOYED,
        ),
        backlog_since=BROKE,
    ),
    _then(
        REFUNDS,
        {"fine": 3, "undone-slowly": 4, "terminated-slowly": 1, "not-undone": 1},
        LEDGER_LOCKED,
    ),
    REPORTS,
    _then(
        APPROVALS,
        {"decided": 3, "silent": 5, "rejected": 1, "too-late": 1, "forgotten": 2},
        6 * HOUR,
    ),
    _then(
        IMPORTS,
        {"fine": 9, "many": 2, "recovers": 4, "exhausting": 2, "caught": 2, "unreadable": 1},
        2 * HOUR,
    ),
    _then(VIDEOS, {"paused-busy": 2, "long": 3, "fine": 4, "broken": 1}, 5 * HOUR),
    _then(
        _then(
            ONBOARDINGS, {"usual": 10, "short": 3, "silent": 3, "left": 1, "forgotten": 1}, 2 * DAY
        ),
        {"usual": 7, "short": 2, "silent": 2, "left": 1, "forgotten": 1, "hanging": 6},
        HANGING,
    ),
    NEWSLETTERS,
)
#: What fails in every account that is at work, always as often.
NOISE = tuple(
    Wrong(Kind.NOISE, workflow, step, error)
    for workflow, step, error in (
        (ORDERS.name, "charge card", "NonRetryableError"),
        (REFUNDS.name, "close case", "CaseSystemError"),
        (REPORTS.name, "render pdf", "D1Error"),
        (APPROVALS.name, "record decision", "NonRetryableError"),
        (APPROVALS.name, "wait for decision", "Error"),
        (IMPORTS.name, "import rows", "Error"),
        (IMPORTS.name, "import rows", "NonRetryableError"),
        (VIDEOS.name, "transcode 1080p", "Error"),
    )
)
BROKEN = (
    Wrong(
        Kind.CAUSE, ORDERS.name, "charge card", "PaymentProviderError", DEPLOYED, version=DEPLOYED
    ),
    Wrong(Kind.CAUSE, REFUNDS.name, "close case", "LedgerLockedError", LEDGER_LOCKED),
    Wrong(Kind.STUCK, ONBOARDINGS.name, "create workspace", since=HANGING),
    Wrong(Kind.VERSION, ORDERS.name, since=DEPLOYED, version=DEPLOYED),
)
QUIET = (
    replace(_then(ORDERS, {"fine": 1}, LONG_AGO - 1), every=5 * MINUTE),
    REPORTS,
    replace(APPROVALS, every=HOUR, eras=((LONG_AGO, {"decided": 1}),)),
)
BUSY = tuple(
    replace(definition, every=max(SECOND, definition.every // 10)) for definition in HEALTHY
)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("quiet", QUIET, 60),
        Scenario("busy", BUSY, 20_000, wrong=NOISE),
        Scenario("incident", INCIDENT, 1_200, wrong=BROKEN + NOISE),
        Scenario("empty", (), 0),
        Scenario("huge", HEALTHY, 1_000_000),
    )
}
