"""The scenario `incident`, watched while it breaks: each cause is told at once, nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.insight.version_watch import compare
from dashboard.models import AlertIncident, Instance, Role, User, access_of
from dashboard.models.normal_learning import LEARNED_EVERY
from dashboard.simulator.clock import DAY, Clock
from dashboard.simulator.definition import Kind
from dashboard.simulator.scenarios import SCENARIOS
from dashboard.simulator.workflow import Query, Row
from dashboard.simulator.world import Truth, World
from dashboard.views.since_page import SincePage
from tests.alerts.receiver import Receiver
from tests.alerts.rows import channel
from tests.alerts.watch import Synced, watching
from tests.fixtures import START

pytestmark = pytest.mark.django_db

INTERVAL = timedelta(minutes=2)
BETWEEN = timedelta(minutes=20)
#: Before the moment that the scenario shows; the first of its causes begins three hours before it.
EARLY = timedelta(hours=3, minutes=20)
INSTANCES = 1_200


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


class Foreseen:
    """The same account some time later: whatever happens in it is decided by its seed."""

    def __init__(self, later: timedelta) -> None:
        self.world = World(SCENARIOS["incident"], instances=INSTANCES, clock=Clock(START))
        self.truths = [one for one in self.world.truth if one.kind is not Kind.NOISE]
        self.world.advance(later.total_seconds())

    def of(self, kind: Kind) -> list[Truth]:
        return [one for one in self.truths if one.kind is kind]

    def first_shown(self, truth: Truth) -> datetime:
        """When the first instance that shows what is wrong could be seen: failed, or in the step
        where it hangs."""
        home, now = self.world.workflows[truth.workflow], self.world.now
        rows = home.page(Query(since=truth.since or 0, limit=10_000), now).rows
        shown = []
        for row in rows:
            instance = home.get(row.id, now)
            assert instance is not None
            error, steps = instance.course.error, instance.course.entries
            if truth.kind is Kind.STUCK:
                hangs = [one.end is None or one.end > now + DAY for one in steps[:1]]
                shown += [row.started] if row.started and any(hangs) else []
            elif row.status == "errored" and row.ended and error:
                is_so = truth.kind is Kind.VERSION or error.name == truth.error
                shown += [row.ended] * (is_so and truth.version_id in {"", row.version_id})
        return moment(min(shown))

    def shown_worse(self, truth: Truth) -> datetime:
        """When its own instances first told that the version is worse than the ones before, by the
        share of them that failed alone."""
        home = self.world.workflows[truth.workflow]
        rows = home.page(Query(limit=10_000), self.world.now).rows
        of_it = [row for row in rows if row.version_id == truth.version_id]
        before = [row for row in rows if row.version_id != truth.version_id]
        for at in sorted(row.ended for row in of_it if row.ended):
            sides = (Failed.by(before, at), Failed.by(of_it, at))
            if compare("before", sides, []).worse:
                return moment(at)
        raise AssertionError("It is not worse.")


@dataclass(frozen=True)
class Failed:
    """How many instances were created by a moment, and how many of them had failed."""

    number: int
    errored: int

    @classmethod
    def by(cls, rows: list[Row], at: int) -> Failed:
        errored = [row for row in rows if row.status == "errored" and (row.ended or at) < at]
        return cls(sum(row.created <= at for row in rows), len(errored))


def moments(foreseen: Foreseen) -> list[datetime]:
    """When the account is synced: each INTERVAL around every beginning, and now and then between
    two of them."""
    found = {START - EARLY + number * BETWEEN for number in range(1, 1 + EARLY // BETWEEN)}
    for truth in foreseen.truths:
        begins = foreseen.first_shown(truth) - INTERVAL / 2
        number = 8 if truth.kind is Kind.VERSION else 3
        found |= {begins + times * INTERVAL for times in range(number)}
    return sorted(found)


@pytest.fixture
def foreseen() -> Foreseen:
    return Foreseen(timedelta(minutes=30))


@pytest.fixture
def watch(hook: Receiver, foreseen: Foreseen) -> Iterator[Synced]:
    """The account after it broke, with a dashboard that has watched since before."""
    early = {"early": EARLY.total_seconds(), "instances": INSTANCES}
    with watching("incident", START - EARLY, **early) as watch:
        watch.channels = [channel(hook.address)]
        watch.settle()
        watch.make_rules()
        watch.judge()
        for at in moments(foreseen):
            watch.round(max(at - watch.clock(), timedelta(0)))
        yield watch


def test_each_cause_of_the_incident_is_told_once_within_a_sync_interval_and_no_old_noise(
    watch: Synced, foreseen: Foreseen, hook: Receiver
) -> None:
    opened = watch.opened()

    causes = foreseen.of(Kind.CAUSE)
    for cause in causes:
        [found] = [one for one in opened if is_group(one, cause)]
        assert_told_at_once(found, foreseen.first_shown(cause), hook)
        led_to = led(found, watch)
        assert cause.error in {part.error for one in led_to.new for part in one.parts}

    [stuck] = foreseen.of(Kind.STUCK)
    [found] = [one for one in opened if one.rule.kind == "stuck"]
    assert found.workflow is not None
    assert found.workflow.name == stuck.workflow
    assert list(found.figures["steps"]) == [stuck.step]
    hanging = Instance.objects.stuck().filter(current_step=stuck.step).earliest("at_work_on")
    assert hanging.started_on == foreseen.first_shown(stuck)
    assert hanging.expected_by
    assert hanging.expected_by - foreseen.first_shown(stuck) < timedelta(minutes=2)
    assert_told_at_once(found, hanging.expected_by, hook)
    led_to = led(found, watch)
    assert [(one.place.step, one.new == one.number) for one in led_to.stuck] == [(stuck.step, True)]

    [version] = foreseen.of(Kind.VERSION)
    [found] = [one for one in opened if one.rule.kind == "bad-version"]
    assert found.figures["version"] == version.version_id
    assert_told_at_once(found, foreseen.shown_worse(version) + LEARNED_EVERY, hook)
    assert version.since is not None
    assert found.began_at <= moment(version.since)
    led_to = led(found, watch)
    assert version.version_id in {one.version_id for one in led_to.versions}

    assert len([one for one in opened if one.rule.kind == "new-group"]) == len(causes)
    broken = {one.workflow for one in foreseen.truths}
    assert {one.workflow.name for one in opened if one.workflow} <= broken
    assert len(opened) == len(AlertIncident.objects.exclude(workflow=None))


def led(found: AlertIncident, watch: Synced) -> SincePage:
    """The page to which its alert leads, as somebody who sees all workflows reads it."""
    everybody = access_of(User(role=Role.VIEWER))
    return SincePage(found.began_at, watch.clock(), everybody)


def is_group(incident: AlertIncident, cause: Truth) -> bool:
    return incident.rule.kind == "new-group" and incident.subject.startswith(
        f"{cause.workflow}: {cause.error}: "
    )


def assert_told_at_once(incident: AlertIncident, shown: datetime, hook: Receiver) -> None:
    assert incident.opened_at - shown <= INTERVAL, incident
    told = [one for one in hook.heard if one["incident"] == incident.pk]
    assert [one["event"] for one in told].count("opened") == 1
