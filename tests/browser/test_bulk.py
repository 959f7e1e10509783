"""An operation on many, as somebody does it: preview, run, watch, stop, resume, retry."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dashboard import operations
from dashboard.models import Instance, Operation
from dashboard.simulator.server import Server
from tests.fixtures import Watched
from tests.operations.many import add, patched, states

#: A refresh that was under way while the worker worked shows nothing new; the next one does.
SOON = 15_000

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def waiting(watched: Watched, configured: Server) -> Watched:
    """An account with eight instances that wait."""
    add(watched, "waiting", 8)
    return watched


def choose(screen: Page, kind: str, **fields: str) -> None:
    """Sends what the list's selection bar sends, for every instance unless the fields say else."""
    chosen = [str(pk) for pk in Instance.objects.values_list("pk", flat=True)]
    pairs = [["kind", kind], *map(list, fields.items())]
    if "matching" not in fields:
        pairs += [["chosen", pk] for pk in chosen]
    screen.goto("/instances/")
    with screen.expect_navigation():
        screen.evaluate(
            """pairs => {
              const form = document.createElement("form");
              form.method = "post";
              form.action = "/operations/bulk/";
              const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
              pairs.push(["csrfmiddlewaretoken", headers["X-CSRFToken"]]);
              for (const [name, value] of pairs) {
                const input = document.createElement("input");
                input.type = "hidden"; input.name = name; input.value = value;
                form.append(input);
              }
              document.body.append(form);
              form.submit();
            }""",
            pairs,
        )


def worker_works(watched: Watched, *, later: float = 0) -> Operation:
    """What a worker does in one go, so many seconds from now; the latest operation."""

    def clock() -> datetime:
        return timezone.now() + timedelta(seconds=later)

    operation = Operation.objects.latest("requested_at")
    operations.run(operation.pk, lambda _: watched.client, clock=clock)
    return operation


def poll(screen: Page) -> None:
    screen.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")


def test_somebody_terminates_many_it_stops_itself_and_the_failed_one_is_retried(
    screen: Page, waiting: Watched
) -> None:
    waiting.server.faults.add("rate-limited", method="PATCH", times=1)
    choose(screen, "terminate", number="8")
    expect(screen.locator("h1")).to_have_text("Terminate: 8 instances")
    screen.get_by_label("Reason").fill("ticket 4711")
    screen.get_by_role("button", name="Terminate: 8 instances").click()

    stage = screen.locator("#stage-title")
    expect(stage).to_have_text("Running")
    worker_works(waiting)
    poll(screen)
    expect(stage).to_have_text("Stopped itself", timeout=SOON)
    expect(screen.locator("#progress")).to_contain_text("1 of 1 failed.")

    screen.get_by_role("button", name="Go on all the same").click()
    expect(stage).to_have_text("Running")
    worker_works(waiting, later=5)
    worker_works(waiting, later=60)
    poll(screen)
    expect(stage).to_have_text("Finished", timeout=SOON)
    expect(screen.get_by_role("meter", name="Settled")).to_have_attribute("aria-valuenow", "8")
    expect(screen.locator("#items tbody tr").first).to_contain_text("Failed")

    screen.get_by_role("button", name="Retry the 1 failed…").click()
    expect(screen.locator("h1")).to_have_text("Terminate: 1 instance")
    screen.get_by_label("Reason").fill("again")
    screen.get_by_role("button", name="Terminate: 1 instance").click()
    worker_works(waiting, later=120)
    retried = worker_works(waiting, later=180)
    poll(screen)
    expect(stage).to_have_text("Finished", timeout=SOON)
    expect(screen.get_by_role("link", name="Terminate", exact=True)).to_be_visible()

    assert states(retried) == {"done": 1}
    assert set(waiting.listed().values()) == {"terminated"}
    assert sum(patched(waiting).values()) == 9  # the refused one is sent by the second operation


def test_somebody_pauses_resumes_and_stops_it(screen: Page, waiting: Watched) -> None:
    choose(screen, "pause")
    screen.get_by_role("button", name="Pause: 8 instances").click()
    stage = screen.locator("#stage-title")

    screen.get_by_role("button", name="Pause").click()
    expect(stage).to_have_text("Paused")
    worker_works(waiting)
    assert patched(waiting) == {}
    screen.get_by_role("button", name="Resume").click()
    expect(stage).to_have_text("Running")
    screen.get_by_role("button", name="Stop").click()
    expect(stage).to_have_text("Stopped")

    expect(screen.locator(".changes")).to_contain_text("Paused by olga")
    expect(screen.locator("#items")).to_contain_text("olga stopped the operation")
    assert patched(waiting) == {}


def test_all_that_match_are_typed_as_a_number_before_they_end(
    screen: Page, watched: Watched, configured: Server
) -> None:
    add(watched, "waiting", 12)
    choose(screen, "terminate", matching="1", list="status=waiting", number="12")
    expect(screen.locator("main")).to_contain_text("12 instances, all that match")
    screen.get_by_label("Reason").fill("ticket 4711")
    typed = screen.get_by_label("Type the number of instances")

    typed.fill("12")
    screen.keyboard.press("Enter")

    expect(screen).to_have_url(re.compile("/operations/[0-9a-f-]{36}/$"))
    expect(screen.locator("#items tbody tr")).to_have_count(12)


def test_without_scripts_it_is_chosen_begun_and_stopped_by_forms(
    window: Page, waiting: Watched, base_url: str
) -> None:
    assert window.context.browser is not None
    plain = window.context.browser.new_context(
        base_url=base_url,
        java_script_enabled=False,
        storage_state=window.context.storage_state(),
    )
    page = plain.new_page()
    page.goto("/instances/?q=status:waiting")
    page.locator("#rows input[name=chosen]").nth(0).check()
    page.locator("#rows input[name=chosen]").nth(1).check()
    page.get_by_role("button", name="Terminate…").click()
    expect(page.locator("h1")).to_have_text("Terminate: 2 instances")
    page.get_by_label("Reason").fill("ticket 4711")
    page.get_by_role("button", name="Terminate: 2 instances").click()

    stage = page.locator("#stage-title")
    expect(stage).to_have_text("Running")
    page.get_by_role("button", name="Pause").click()
    expect(stage).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    worker_works(waiting)
    operation = worker_works(waiting, later=60)
    page.reload()
    expect(stage).to_have_text("Finished")

    assert states(operation) == {"done": 2}
    plain.close()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_fit_their_window(
    screen: Page, waiting: Watched, width: int, scheme: str
) -> None:
    screen.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    screen.set_viewport_size({"width": width, "height": 900})
    waiting.server.faults.add("rate-limited", method="PATCH", times=1)

    choose(screen, "terminate")
    assert screen.evaluate("document.documentElement.scrollWidth") <= width
    screen.get_by_label("Reason").fill("ticket 4711")
    screen.get_by_role("button", name="Terminate: 8 instances").click()
    worker_works(waiting)
    screen.reload()

    assert screen.evaluate("document.documentElement.scrollWidth") <= width
