"""One budget for every process: nobody passes it, and people come first."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dashboard.cloudflare import BudgetSpent, Client, Lane, RateLimit, RateLimited, Spender
from dashboard.cloudflare.budget import LARGEST_SHARE, QUOTA, TERMS, WINDOW, bucket
from dashboard.cloudflare.redis_budget import ALONE, RedisBudget
from tests.cloudflare.conftest import Server, ok, refused
from tests.gates import Allowing
from tests.servers.redis import Redis

LANES = list(Lane)
BACKGROUND = [lane for lane in LANES if lane.is_background]
#: Lanes that may take all there is. One with a part of it may wait while lower ones go on.
WHOLE = {lane: TERMS[lane].part == 1 for lane in LANES}


class Shared:
    """A budget with a clock of its own, and what it let through."""

    def __init__(self, url: str, *, share: float = 0.6) -> None:
        self.now = 1_800_000_000.0
        self.url, self.share, self.fingerprint = url, share, uuid.uuid4().hex
        self.passed: list[tuple[float, Lane]] = []
        self.budget = self.process()

    def process(self) -> RedisBudget:
        """Another process that holds the same token."""
        return RedisBudget(
            self.url, self.fingerprint, share=self.share, clock=lambda: self.now, sleep=self.sleep
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def tries(self, lane: Lane) -> float:
        """0 when a request passes at once, else the seconds to wait."""
        why, wait = self.budget._try(lane, Spender.WEB)
        if not why:
            self.passed.append((self.now, lane))
        return wait

    def takes(self, lane: Lane, most: int = 2 * QUOTA) -> int:
        """How many requests in a row pass."""
        return next((n for n in range(most) if self.tries(lane)), most)

    def most_in_a_window(self, lanes: list[Lane], window: float = WINDOW) -> int:
        moments = [moment for moment, lane in self.passed if lane in lanes]
        first = highest = 0
        for last, moment in enumerate(moments):
            while moments[first] <= moment - window:
                first += 1
            highest = max(highest, last - first + 1)
        return highest


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def shared(redis_url: str) -> Shared:
    return Shared(redis_url)


class TestPolicy:
    def test_each_lane_leaves_room_for_those_above_it(self) -> None:
        ceilings = [TERMS[lane].ceiling for lane in LANES]
        reserves = [TERMS[lane].reserve for lane in LANES]

        assert ceilings == sorted(ceilings, reverse=True)
        assert reserves == sorted(reserves)
        assert len(set(ceilings)) == len(LANES)

    @given(share=st.floats(0.01, LARGEST_SHARE), quota=st.integers(400, 10_000))
    def test_a_window_of_the_bucket_is_the_share(self, share: float, quota: int) -> None:
        its = bucket(share, quota=quota)

        assert its.burst + its.rate * WINDOW == pytest.approx(share * quota)

    def test_the_largest_share_that_can_be_set_is_what_background_may_touch(self) -> None:
        assert settings.BUDGET_SHARE == 60
        assert pytest.approx(0.8) == LARGEST_SHARE  # As settings.py says it.


class TestSharing:
    @hypothesis_settings(max_examples=40, deadline=None)
    @given(
        share=st.sampled_from([0.05, 0.3, 0.6, 0.8]),
        policy=st.sampled_from([(100, 60), (300, 300), (1200, 300)]),
        steps=st.lists(
            st.tuples(
                st.floats(0, 90), st.sampled_from(LANES), st.sampled_from([1, 5, 40, 400, 2000])
            ),
            max_size=25,
        ),
    )
    def test_no_window_ever_holds_more_than_is_allowed(
        self,
        redis_url: str,
        share: float,
        policy: tuple[int, int],
        steps: list[tuple[float, Lane, int]],
    ) -> None:
        shared, (quota, window) = Shared(redis_url, share=share), policy
        shared.budget.told(RateLimit(quota, 0.0, quota, float(window)))

        for pause, lane, wanted in steps:
            shared.now += pause
            shared.takes(lane, wanted)

        assert shared.most_in_a_window(LANES, window) <= 0.95 * quota
        # A millisecond is the clock's grain, and each may hold a part of a request.
        assert shared.most_in_a_window(BACKGROUND, window) <= share * quota + 1

    @hypothesis_settings(max_examples=40, deadline=None)
    @given(
        steps=st.lists(
            st.tuples(st.floats(0, 90), st.sampled_from(LANES), st.integers(1, 700)), max_size=8
        ),
        remaining=st.none() | st.integers(0, QUOTA),
    )
    def test_a_higher_lane_is_never_refused_while_a_lower_one_passes(
        self, redis_url: str, steps: list[tuple[float, Lane, int]], remaining: int | None
    ) -> None:
        shared = Shared(redis_url)
        if remaining is not None:
            shared.budget.told(RateLimit(remaining, 120.0))

        for pause, lane, wanted in steps:
            shared.now += pause
            shared.takes(lane, wanted)
            waits = [shared.tries(one) for one in LANES]

            passes = [wait == 0 for lane, wait in zip(LANES, waits, strict=True) if WHOLE[lane]]
            assert passes == sorted(passes, reverse=True)

    def test_background_work_alone_uses_its_whole_share_and_no_more(self, shared: Shared) -> None:
        for _ in range(WINDOW):
            shared.takes(Lane.FRESHNESS)
            shared.now += 1

        assert 0.9 * 720 <= shared.most_in_a_window(BACKGROUND) <= 720

    def test_back_fill_goes_on_while_nobody_else_asks(self, shared: Shared) -> None:
        for _ in range(WINDOW):
            shared.takes(Lane.BACKFILL)
            shared.now += 1

        assert shared.most_in_a_window(BACKGROUND) > 0.85 * 720

    def test_an_operation_on_many_leaves_a_quarter_to_the_lists(self, shared: Shared) -> None:
        bulk = lists = 0
        for _ in range(4 * WINDOW):
            bulk += shared.takes(Lane.BULK)
            lists += shared.takes(Lane.FRESHNESS)
            shared.now += 1

        assert 0.2 < lists / (bulk + lists) < 0.3
        assert shared.most_in_a_window(BACKGROUND) <= 720

    def test_an_operation_on_many_goes_on_however_much_the_lists_want(self, shared: Shared) -> None:
        bulk = 0
        for _ in range(4 * WINDOW):
            shared.takes(Lane.BACKFILL)
            shared.takes(Lane.FRESHNESS)
            bulk += shared.takes(Lane.BULK)
            shared.now += 1

        assert bulk > 0.7 * 4 * 720 * 3 / 4
        assert shared.takes(Lane.PERSON) >= 1140 - 720

    def test_a_wait_that_was_told_is_long_enough(self, shared: Shared) -> None:
        for lane in reversed(LANES):
            shared.takes(lane)

        for lane in LANES:
            while wait := shared.tries(lane):
                shared.now += wait
                assert shared.tries(lane) == 0

    def test_people_find_their_part_however_busy_the_background_is(self, shared: Shared) -> None:
        for _ in range(2 * WINDOW):
            shared.takes(Lane.BACKFILL)
            shared.takes(Lane.WATCHED)
            shared.now += 1

        assert shared.takes(Lane.PERSON) >= 1140 - 720

    def test_many_people_push_the_background_aside(self, shared: Shared) -> None:
        shared.takes(Lane.PERSON, 960)

        assert [shared.takes(lane) for lane in BACKGROUND] == [0] * len(BACKGROUND)
        assert shared.takes(Lane.PERSON) == 180

    def test_threads_of_several_processes_never_pass_it_together(self, shared: Shared) -> None:
        passed: list[int] = []

        def ask() -> None:
            budget = shared.process()
            answers = [budget._try(Lane.PERSON, Spender.WEB)[0] for _ in range(300)]
            passed.append(answers.count(""))
            budget.close()

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(passed) == 1140

    def test_real_processes_never_pass_it_together(self, shared: Shared) -> None:
        code = (
            "import sys; from dashboard.cloudflare import *\n"
            "from dashboard.cloudflare.redis_budget import RedisBudget\n"
            "b = RedisBudget(sys.argv[1], sys.argv[2], share=0.6, clock=lambda: 1.8e9)\n"
            "print([b._try(Lane.PERSON, Spender.WORKER)[0] for _ in range(500)].count(''))"
        )
        command = [sys.executable, "-c", code, shared.url, shared.fingerprint]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]

        assert sum(int(process.communicate()[0]) for process in processes) == 1140


class TestWhatCloudflareSays:
    def test_a_lower_remainder_than_ours_is_believed(self, shared: Shared) -> None:
        shared.budget.told(RateLimit(200, 90.0))

        assert [shared.takes(lane) for lane in BACKGROUND] == [0] * len(BACKGROUND)
        assert shared.takes(Lane.PERSON) == 200 - 60
        assert shared.tries(Lane.PERSON) == 90

    def test_a_higher_remainder_does_not_make_us_forget(self, shared: Shared) -> None:
        shared.takes(Lane.PERSON)
        shared.budget.told(RateLimit(1199, 90.0))

        assert shared.takes(Lane.PERSON) == 0

    def test_after_the_reset_it_holds_no_more(self, shared: Shared) -> None:
        shared.budget.told(RateLimit(0, 30.0))
        assert shared.takes(Lane.PERSON) == 0
        shared.now += 30

        assert shared.takes(Lane.WATCHED) > 0

    def test_an_answer_that_comes_late_does_not_raise_what_is_left(self, shared: Shared) -> None:
        shared.budget.told(RateLimit(100, 90.0))
        shared.budget.told(RateLimit(150, 91.0))

        reading = shared.budget.read()

        assert reading
        assert (reading.told_remaining, reading.told_for) == (100, 90)

    def test_our_own_requests_count_until_cloudflare_speaks_again(self, shared: Shared) -> None:
        shared.budget.told(RateLimit(500, 90.0))
        shared.takes(Lane.PERSON, 10)

        reading = shared.budget.read()

        assert reading
        assert (reading.used, reading.spent, reading.told_remaining) == (710, 10, 490)

    @pytest.mark.parametrize(("quota", "window"), [(100, 60.0), (400, 300.0), (4800, 3600.0)])
    def test_another_policy_is_kept_to(self, shared: Shared, quota: int, window: float) -> None:
        shared.budget.told(RateLimit(quota, 0.0, quota, window))

        assert shared.takes(Lane.PERSON) == int(0.95 * min(quota, quota * WINDOW / window))

    def test_a_429_closes_the_gate_for_everybody_until_then(self, shared: Shared) -> None:
        shared.budget.told(None, closed_for=120)
        other = shared.process()

        for lane in LANES:
            with pytest.raises(BudgetSpent, match="Cloudflare asked to wait") as caught:
                other.spend(lane, Spender.WORKER)
            assert (caught.value.retry_after, caught.value.was_sent) == (120, False)
        shared.now += 120
        other.spend(Lane.BACKFILL, Spender.WORKER)

    def test_a_mad_retry_after_ends_within_an_hour(self, shared: Shared) -> None:
        shared.budget.told(None, closed_for=10**9)

        assert shared.tries(Lane.PERSON) == 3600

    def test_a_clock_that_was_set_back_costs_a_window_at_most(self, shared: Shared) -> None:
        shared.takes(Lane.PERSON)
        shared.takes(Lane.WATCHED)
        shared.now -= 86_400

        assert 0 < shared.tries(Lane.PERSON) <= WINDOW + 5


class TestWaiting:
    def test_a_sync_paces_itself(self, shared: Shared) -> None:
        began = shared.now
        for _ in range(300):
            shared.budget.spend(Lane.FRESHNESS, Spender.WORKER)

        its = bucket(0.6)
        assert shared.now - began == pytest.approx((300 - its.burst * 5 / 6) / its.rate, abs=1)

    def test_what_follows_operations_holds_no_worker(self, shared: Shared) -> None:
        shared.takes(Lane.WATCHED)
        began = shared.now

        with pytest.raises(BudgetSpent) as caught:
            shared.budget.spend(Lane.WATCHED, Spender.OPERATIONS)

        assert shared.now == began
        assert 0 < (caught.value.retry_after or 0) < 1

    def test_a_page_does_not_hang_on_a_spent_budget(self, shared: Shared) -> None:
        shared.takes(Lane.PERSON)
        began = shared.now

        with pytest.raises(BudgetSpent, match="used up for now"):
            shared.budget.spend(Lane.PERSON, Spender.WEB)

        assert shared.now == began


class TestWithoutRedis:
    def test_people_go_on_a_little_and_background_work_waits(self, redis_server: Redis) -> None:
        budget = RedisBudget(redis_server.url, "x", share=0.6, sleep=lambda _: None)
        redis_server.stop()

        answers = [budget._try(Lane.PERSON, Spender.WEB)[0] for _ in range(100)]
        assert ALONE.burst <= answers.count("") < ALONE.burst + 10
        for lane in BACKGROUND:
            with pytest.raises(BudgetSpent, match="Redis does not answer"):
                budget.spend(lane, Spender.WORKER)
        assert budget.read() is None
        assert budget.ledger() is None
        budget.told(RateLimit(1, 1.0), closed_for=5)

    def test_a_shell_goes_on_a_little_too(self, redis_server: Redis) -> None:
        redis_server.stop()
        budget = RedisBudget(redis_server.url, "x", share=0.6)

        budget.spend(Lane.BACKFILL, Spender.SHELL)

    def test_when_redis_is_back_it_goes_on_by_itself(
        self, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dashboard.cloudflare.redis_budget.AWAY_SECONDS", 0.0)
        budget = RedisBudget(redis_server.url, "x", share=0.6)
        budget.spend(Lane.FRESHNESS, Spender.WORKER)
        redis_server.stop()
        assert budget.read() is None
        redis_server.start()

        budget.spend(Lane.FRESHNESS, Spender.WORKER)

        reading = budget.read()
        assert reading
        assert reading.spent == 1
        budget.close()


class TestLedger:
    def test_it_says_who_spent_what(self, shared: Shared) -> None:
        for lane, spender, count in [
            (Lane.PERSON, Spender.WEB, 3),
            (Lane.WATCHED, Spender.OPERATIONS, 2),
        ]:
            for _ in range(count):
                shared.budget.spend(lane, spender)
        shared.budget.told(None, closed_for=1)
        shared.now += 400
        shared.budget.spend(Lane.FRESHNESS, Spender.WORKER)

        ledger = shared.budget.ledger()

        assert ledger
        assert ledger.window == {("freshness", "worker"): 1}
        assert len(ledger.hour) == 60
        assert sum(sum(counts.values()) for counts in ledger.hour.values()) == 6
        assert [moment.timestamp() for moment in ledger.refusals] == [1_800_000_000.0]

    def test_the_window_of_the_ledger_is_that_of_the_meter(self, shared: Shared) -> None:
        for _ in range(200):
            shared.takes(Lane.PERSON, 3)
            shared.now += 1.7

        ledger = shared.budget.ledger()

        assert ledger
        assert sum(ledger.window.values()) == ledger.reading.spent


class TestClient:
    def test_each_request_and_each_retry_passes_the_gate_in_its_lane(
        self, connect: Callable[..., Client], server: Server
    ) -> None:
        gate = Allowing(100)
        client = connect(gate=gate).in_lane(Lane.WATCHED)
        server.answer(refused(500, 10001), ok({"name": "orders"}))

        client.get_workflow("orders")

        assert gate.lanes == [Lane.WATCHED, Lane.WATCHED]
        assert (client.lane, client.request_count) == (Lane.WATCHED, 2)

    def test_a_spent_budget_sends_nothing_and_is_not_retried(
        self, connect: Callable[..., Client], server: Server
    ) -> None:
        with pytest.raises(BudgetSpent) as caught:
            connect(gate=Allowing(0)).get_workflow("orders")

        assert (caught.value.was_sent, caught.value.retry_after) == (False, 40)
        assert server.seen == []

    def test_the_gate_hears_what_cloudflare_says(
        self, connect: Callable[..., Client], server: Server
    ) -> None:
        gate = Allowing(100)
        headers = {
            "Ratelimit": '"default";r=50;t=30',
            "Ratelimit-Policy": '"burst";q=500;w=60, "default";q=1200;w=300',
        }
        told = {**headers, "retry-after": "120"}
        server.answer(ok({"name": "orders"}), refused(429, 971, headers=told))
        client = connect(gate=gate, tries=1)

        client.get_workflow("orders")
        with pytest.raises(RateLimited):
            client.get_workflow("orders")

        assert gate.heard == [(None, None), (RateLimit(50, 30.0, 1200, 300.0), 120.0)]
