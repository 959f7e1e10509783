"""The pages about one instance, about causes and alerts, and those that say no."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from dashboard.models import (
    AlertChannel,
    AlertIncident,
    AlertRule,
    FrozenLink,
    Instance,
    Silence,
    Snapshot,
    User,
    Version,
    Workflow,
)
from tests.alerts.rows import channel, rule
from tests.browser.shown import Show, at
from tests.fixtures import Watched


def furnish_elsewhere(watched: Watched) -> None:
    """An alert of a rule with a channel, a silence, and a version."""
    now, workflow = timezone.now(), watched.workflow()
    made = rule("failure-rate", channel())
    AlertIncident.objects.create(
        rule=made,
        key=f"workflow:{workflow.pk}",
        workflow=workflow,
        subject=workflow.name,
        sentence="12 % of what ended failed.",
        began_at=now - timedelta(minutes=9),
        opened_at=now - timedelta(minutes=5),
        fired_at=now,
    )
    Silence.objects.create(
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        reason="maintenance",
        made_by=made.changed_by,
        made_at=now,
    )
    Version.objects.get_or_create(
        workflow=workflow, version_id="v-shown", defaults={"synced_at": now}
    )


def _of_workflow(route: str, *more: str) -> str:
    workflow = Workflow.objects.select_related("account").get()
    return reverse(route, args=[workflow.account.account_id, workflow.name, *more])


def _page_of(instance_id: str) -> str:
    return Instance.objects.get(instance_id=instance_id).get_absolute_url()


def errored(page: Page) -> None:
    page.goto(_page_of("broken"))
    expect(page.locator("h1")).to_contain_text("broken")


def asked(kind: str, **more: str) -> Show:
    """The form of an operation."""

    def show(page: Page) -> None:
        workflow = Workflow.objects.select_related("account").get()
        of = {"account_id": workflow.account.account_id, "workflow_name": workflow.name}
        page.goto(f"{reverse('new-operation')}?{urlencode({'kind': kind, **of, **more})}")
        expect(page.locator("main form[method=post]").first).to_be_visible()

    return show


def snapshot(page: Page) -> None:
    page.goto(Snapshot.objects.all()[0].get_absolute_url())


def comparison(page: Page) -> None:
    page.goto(f"/compare/?left={_page_of('broken')}&right=")


def freezing(page: Page) -> None:
    page.goto(f"/frozen/new/?of={_page_of('broken')}")
    page.get_by_label("Title").fill("Charges fail")


def frozen(page: Page) -> None:
    if not FrozenLink.objects.exists():
        freezing(page)
        page.get_by_role("button", name="Make the link").click()
        expect(page).not_to_have_url("/frozen/new/")
    page.goto(FrozenLink.objects.all()[0].get_absolute_url())


def alert(page: Page) -> None:
    page.goto(AlertIncident.objects.get().get_absolute_url())


ELSEWHERE: dict[str, Show] = {
    "a workflow": lambda page: page.goto(_of_workflow("workflow")),
    "an account's workflows": lambda page: page.goto(
        reverse("workflows", args=[Workflow.objects.get().account.account_id])
    ),
    "a version": lambda page: page.goto(_of_workflow("version", "v-shown")),
    "marks": lambda page: page.goto(_of_workflow("marks")),
    "an errored instance": errored,
    "an instance that is not there": lambda page: page.goto(_of_workflow("instance", "no-such")),
    "before a restart": asked("restart", instance_id="broken"),
    "sending an event": asked("send-event", instance_id="broken"),
    "creating an instance": asked("create"),
    "creating a batch": asked("create", is_batch="1"),
    "a kept instance": snapshot,
    "a comparison": comparison,
    "a frozen link before it is made": freezing,
    "a frozen link": frozen,
    "frozen links": at("/frozen/"),
    "since": at("/since/?at=1h"),
    "alerts": at("/alerts/"),
    "an alert": alert,
    "rules": at("/alerts/rules/"),
    "a new rule": at("/alerts/rules/new/failure-rate/"),
    "a new rule for versions": at("/alerts/rules/new/bad-version/"),
    "a rule": lambda page: page.goto(reverse("alert-rule", args=[AlertRule.objects.get().pk])),
    "channels": at("/alerts/channels/"),
    "a new channel": at("/alerts/channels/new/"),
    "a channel": lambda page: page.goto(
        reverse("alert-channel", args=[AlertChannel.objects.get().pk])
    ),
    "silences": at("/alerts/silences/"),
    "people": at("/people/"),
    "a person": lambda page: page.goto(reverse("person", args=[User.objects.all()[0].pk])),
    "tokens": at("/tokens/"),
    "the API": at("/api/"),
    "one's account": at("/account/"),
    "one's sessions": lambda page: page.goto(reverse("usersessions_list")),
    "one's password": lambda page: page.goto(reverse("account_set_password")),
    "no such page": at("/no-such-page/"),
}
