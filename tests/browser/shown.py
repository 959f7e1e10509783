"""The pages on which somebody finds many instances and acts on them, each as it is when in use."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from dashboard import operations
from dashboard.models import ErrorGroup, Instance, Operation, SavedView, StepHour, User, Workflow
from dashboard.models.operation import Kind, Stage
from dashboard.operations import Terms, Wanted
from tests.browser.test_keyboard import open_palette
from tests.browser.test_selection import boxes
from tests.fixtures import Watched
from tests.operations.many import add

Show = Callable[[Page], object]


def furnish(watched: Watched) -> None:
    """Nine instances, a saved view, how a step went, and operations that stand in every stage."""
    add(watched, "waiting", 8)
    watched.add("errored", instance_id="broken")
    watched.sync()
    user, now = User.objects.get(), timezone.now()
    SavedView.objects.create(owner=user, name="Mine", query="q=i", saved_at=now)
    StepHour.objects.create(
        workflow=watched.workflow(),
        step_name="charge",
        begins_on=now,
        succeeded=4,
        failed=1,
        durations={"100": 4},
    )
    watched.server.faults.add("rate-limited", method="PATCH", times=1)
    halted = begun(user, Kind.TERMINATE)
    work(watched, halted)
    work(watched, begun(user, Kind.PAUSE))
    stopped = begun(user, Kind.RESTART)
    operations.steer(stopped, Stage.STOPPED, user, now=now)
    operations.steer(begun(user, Kind.RESUME), Stage.PAUSED, user, now=now)
    wanted = Wanted(kind=Kind.RESTART, user=user, key=uuid.uuid4(), reason="paged at 03:00")
    operations.perform(watched.client, watched.workflow(), "broken", wanted, clock=timezone.now)


def begun(user: User, kind: Kind) -> Operation:
    wanted = Wanted(kind=kind, user=user, key=uuid.uuid4(), reason="paged at 03:00")
    terms = Terms(list_query="q=status:waiting")
    return operations.begin(Instance.objects.all(), wanted, terms, now=timezone.now())[0]


def work(watched: Watched, operation: Operation) -> None:
    operations.run(operation.pk, lambda _: watched.client, clock=timezone.now)


def at(path: str) -> Show:
    return lambda page: page.goto(path)


def operation_in(stage: Stage) -> Show:
    return lambda page: page.goto(
        Operation.objects.filter(is_bulk=True, stage=stage)[0].get_absolute_url()
    )


def the_list(page: Page) -> None:
    page.goto("/instances/?q=-status:queued")


def group(page: Page) -> None:
    page.goto(ErrorGroup.objects.all()[0].get_absolute_url())
    for name in ("Note", "Ignore until…"):
        page.locator("summary", has_text=name).click()


def selected(page: Page) -> None:
    the_list(page)
    boxes(page).nth(1).check()
    page.get_by_label("Select all on this page").check()
    expect(page.locator("#selection")).to_be_visible()


def chooser(page: Page) -> None:
    page.goto("/instances/?columns=instance,status,doing,params.order.id&density=comfortable")
    page.locator("summary", has_text="Columns").click()


def search_help(page: Page) -> None:
    the_list(page)
    page.locator("summary", has_text="How to search").click()


def keys(page: Page) -> None:
    the_list(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def palette(page: Page) -> None:
    the_list(page)
    open_palette(page)
    page.locator("dialog input[name=q]").fill("i-")
    expect(page.locator("#go-results a").first).to_be_visible()


def saving(page: Page) -> None:
    the_list(page)
    expect(page.locator("#go-to[data-htmx-powered]")).to_be_visible()
    page.get_by_role("button", name="Save as view").click()
    expect(page.get_by_label("Name")).to_be_visible()


def preview(page: Page) -> None:
    selected(page)
    page.locator("#selection").get_by_role("button", name="Terminate").click()
    expect(page.locator("h1")).to_contain_text("Terminate:")
    page.locator("summary", has_text="How carefully").click()


def refused_preview(page: Page) -> None:
    preview(page)
    page.get_by_label("Reason").fill("ticket 4711")
    page.get_by_label("First waves").fill("none")
    page.locator("main form button", has_text="Terminate").click()
    expect(page.get_by_text("are no sizes of waves")).to_be_visible()


def audit(page: Page) -> None:
    page.goto("/operations/?kind=terminate&state=failed")


def one_operation(page: Page) -> None:
    page.goto(Operation.objects.get(is_bulk=False).get_absolute_url())


def step(page: Page) -> None:
    workflow = Workflow.objects.select_related("account").get()
    path = reverse("step", args=[workflow.account.account_id, workflow.name])
    page.goto(f"{path}?name=charge")
    expect(page.locator("h1")).to_contain_text("charge")


SHOWN: dict[str, Show] = {
    "the list": the_list,
    "selected rows": selected,
    "the columns": chooser,
    "the search help": search_help,
    "the keys": keys,
    "the palette": palette,
    "saving a view": saving,
    "the views": at("/views/"),
    "nothing found": at("/go/?q=nothing"),
    "a preview": preview,
    "a refused preview": refused_preview,
    "one that runs": operation_in(Stage.RUNNING),
    "one that stopped itself": operation_in(Stage.HALTED),
    "one that is paused": operation_in(Stage.PAUSED),
    "one that was stopped": operation_in(Stage.STOPPED),
    "the operations": at("/operations/"),
    "the audit, filtered": audit,
    "one on a single instance": one_operation,
    "sync": at("/sync/"),
    "the budget": at("/budget/"),
    "the tokens": at("/tokens/"),
    "the API": at("/api/"),
    "a step": step,
    "the overview": at("/"),
    "the groups": at("/groups/"),
    "a group": group,
    "the forecast": at("/forecast/"),
    "what is stuck": at("/instances/?q=is:stuck&view=stuck"),
}
