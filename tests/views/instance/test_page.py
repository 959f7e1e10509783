"""What the page of an instance shows, whatever Cloudflare says of it."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from dashboard.models import Instance
from tests.insight.details import NAMES, at, attempt, pause, recorded, running, step
from tests.views.instance.upstream import ACCOUNT, Upstream

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def path_of(instance_id: str, workflow: str = "orders") -> str:
    return reverse("instance", args=[ACCOUNT, workflow, instance_id])


def shown(reader: Browser, upstream: Upstream, result: Any, instance_id: str = "one") -> str:
    upstream.add(instance_id, result)
    response = reader.get(path_of(instance_id))
    assert response.status_code == 200
    return response.content.decode()


def text_of(html: str) -> str:
    """What a reader sees of it, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_shown_with_each_of_its_steps(
    reader: Browser, upstream: Upstream, name: str
) -> None:
    result = recorded(name)

    html = shown(reader, upstream, result, name)

    timeline, steps = html.split('id="steps"')
    for entry in result["steps"]:
        assert f'title="{entry["name"]}: ' in timeline
        assert entry["name"] in text_of(steps)


def test_the_error_stands_first_and_leads_to_the_step_that_failed(
    reader: Browser, upstream: Upstream
) -> None:
    html = shown(reader, upstream, recorded("errored.exhaust"))

    assert html.index('id="error-title"') < html.index('id="timeline"')
    assert 'in <a href="?step=1#step-1">import rows-1</a>, attempt 4 of 4' in html
    assert "upstream returned 503 on attempt 4" in html


def test_a_hostile_workflow_cannot_put_anything_into_the_page(
    reader: Browser, upstream: Upstream
) -> None:
    result = running(
        step(
            f"{HOSTILE}-1", attempt(0, 1, error=HOSTILE), attempt(2, 3), output={HOSTILE: HOSTILE}
        ),
        pause("waitForEvent", f"{HOSTILE}-1", 3, 9, event_type=HOSTILE),
        {"type": HOSTILE, "name": HOSTILE, "start": at(1)},
        status="errored",
        end=at(5),
        params={HOSTILE: [HOSTILE]},
        output=HOSTILE,
        error={"name": HOSTILE, "message": HOSTILE},
        trigger={"source": HOSTILE},
        rollback={"outcome": HOSTILE, "error": {"name": HOSTILE, "message": HOSTILE}},
    )

    html = shown(reader, upstream, result, f"x{HOSTILE}")

    assert "<script>alert" not in html
    assert "<img" not in html
    assert not re.search(r"<[^<>]*\son\w+=", re.sub(r'"[^"]*"', '""', html))


def test_what_nobody_knows_is_shown_as_it_came(reader: Browser, upstream: Upstream) -> None:
    strange = {"type": "teleport", "name": "beam up-1", "start": at(0), "warp": 9}

    html = shown(reader, upstream, running(strange, "just text", None, status="hibernating"))

    seen = text_of(html)
    assert "Cloudflare says “hibernating”, a status that this dashboard does not know" in seen
    assert "teleport" in seen
    assert '"warp": 9' in seen
    assert "just text" in seen
    assert "data-live" in html


@pytest.mark.parametrize(
    "result",
    [
        {"status": None, "steps": None, "params": None, "output": None, "queued": None},
        {"status": "running"},
        running({"type": "step", "name": None, "attempts": None, "config": None}),
        running({"type": "sleep", "start": None, "end": None, "finished": None}),
        running(step("a-1", attempt(9, 3, error="backwards"), attempt(-5, -9))),
        running({"type": "step", "attempts": [{}, None, {"success": False}], "config": {}}),
    ],
)
def test_missing_facts_leave_gaps_not_errors(
    reader: Browser, upstream: Upstream, result: Any
) -> None:
    assert "Timeline" in shown(reader, upstream, result)


def test_an_unfinished_instance_refreshes_itself_and_a_finished_one_is_silent(
    reader: Browser, upstream: Upstream
) -> None:
    live = shown(reader, upstream, recorded("running.in-step"), "live")
    over = shown(reader, upstream, recorded("complete.caught"), "over")

    assert f'hx-get="{path_of("live")}"' in live
    assert 'hx-trigger="poll' in live
    assert 'hx-trigger="poll' not in over.split('id="instance"')[1]


def test_a_refresh_gets_the_fragment_alone(reader: Browser, upstream: Upstream) -> None:
    upstream.add("one", recorded("running.in-step"))

    html = reader.get(path_of("one"), headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in html
    assert html.lstrip().startswith('<div class="instance" id="instance"')


def test_the_link_to_cloudflares_own_dashboard_is_encoded(
    reader: Browser, upstream: Upstream
) -> None:
    html = shown(reader, upstream, recorded("complete.caught"), "*/30 * * * *-1786001400000")

    assert (
        f"https://dash.cloudflare.com/{ACCOUNT}/workers/workflows/orders/instance/"
        "%2A%2F30%20%2A%20%2A%20%2A%20%2A-1786001400000" in html
    )


def thousand_steps() -> dict[str, Any]:
    steps = [step(f"item-{n}", attempt(n, n + 1), output={"n": n}) for n in range(1, 1000)]
    return running(*steps, step("publish-1", attempt(1000, None)))


def test_a_thousand_steps_are_folded_and_shown_in_pages(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", thousand_steps())

    html = reader.get(path_of("one")).getvalue().decode()

    assert len(html) < 700_000
    assert "901–1,000 of 1,000" in html
    assert "item ×999" in html
    assert html.count("<footer") == 1


def test_a_long_log_is_sent_after_what_stands_before_it(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", thousand_steps())

    first, log, last = reader.get(path_of("one")).streaming_content

    assert b"Running" in first
    assert b'id="timeline"' not in first
    assert b'id="timeline"' in log
    assert b'id="step-999"' in log
    assert b"</html>" in last


def test_a_long_log_that_cannot_be_shown_leaves_the_rest_of_the_page(
    reader: Browser, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made for this test")

    monkeypatch.setattr("dashboard.insight.instance_page.timeline", fail)
    upstream.add("one", thousand_steps())

    html = reader.get(path_of("one")).getvalue().decode()

    assert "The rest could not be shown" in html
    assert "made for this test" not in html
    assert "</html>" in html


def test_a_page_of_steps_can_be_asked_for_and_a_link_finds_a_step_on_another(
    reader: Browser, upstream: Upstream
) -> None:
    steps = [step(f"step {'abcdefg'[n % 7]}{n}", attempt(n, n + 1)) for n in range(250)]
    upstream.add("one", running(*steps, status="complete", end=at(300)))

    html = reader.get(path_of("one"), {"steps": "2"}).content.decode()

    assert 'id="step-100"' in html
    assert 'id="step-99"' not in html
    assert 'href="?step=99#step-99"' in html


@pytest.mark.parametrize("wanted", ["0", "-1", "999999999999", "x", "²", "١"])
def test_a_page_of_steps_that_is_none_is_the_nearest_one(
    reader: Browser, upstream: Upstream, wanted: str
) -> None:
    upstream.add("one", recorded("complete.caught"))

    assert reader.get(path_of("one"), {"steps": wanted}).status_code == 200


def test_huge_params_are_cut_and_can_be_downloaded(reader: Browser, upstream: Upstream) -> None:
    html = shown(reader, upstream, running(params={"rows": ["x" * 100] * 3000}))

    assert "The first part of" in html
    assert len(html) < 150_000
    response = reader.get(
        reverse("step-output"),
        {
            "account_id": ACCOUNT,
            "workflow_name": "orders",
            "instance_id": "one",
            "part": "params",
        },
    )
    assert json.loads(response.content) == {"rows": ["x" * 100] * 3000}


def test_a_restart_is_remembered_on_the_page(reader: Browser, upstream: Upstream) -> None:
    shown(reader, upstream, recorded("errored.exhaust"))
    again = recorded("running.in-step") | {"queued": "2026-11-21T02:00:00.000Z"}
    again["start"] = again["queued"]
    Instance.objects.update(read_at=None)

    seen = text_of(shown(reader, upstream, again))

    assert "What was noticed" in seen
    assert "Restarted" in seen
    assert "upstream returned 503 on attempt 4" in seen


def test_the_page_asks_the_database_a_bounded_number_of_times(
    reader: Browser, upstream: Upstream, django_assert_max_num_queries: Any
) -> None:
    upstream.add("one", recorded("complete.order-pipeline"))
    # Cloudflare is asked once in five seconds, which a clock that goes on would pass now and then.
    with time_machine.travel(timezone.now(), tick=False):
        reader.get(path_of("one"))

        with django_assert_max_num_queries(19):
            reader.get(path_of("one"))
