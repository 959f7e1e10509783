from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.alerts import KINDS
from dashboard.models import (
    AlertChannel,
    AlertIncident,
    AlertReading,
    AlertRule,
    Delivery,
    Silence,
    User,
)
from tests.alerts.receiver import Receiver, receiver
from tests.alerts.rows import Scene, ada, channel, rule
from tests.rows import HOSTILE, account, workflow
from tests.views.test_frame import inline_parts
from tests.views.test_instances import text

SECRET = "json://user:s3cret@127.0.0.1:9/s3cret-path"


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    """A browser in which somebody is signed in who says what is alerted of."""
    client.force_login(ada())
    return client


def incident(name: str = "shop", **facts: object) -> AlertIncident:
    """An open incident, a minute old, that was told to one channel."""
    account(name=name)
    terms = {"window": 5}
    scene = Scene(rule("sync-stale", channel(SECRET), terms=terms), timezone.now())
    scene.tick(age=6)
    found = AlertIncident.objects.latest("pk")
    AlertIncident.objects.filter(pk=found.pk).update(**facts)
    found.refresh_from_db()
    return found


def body(browser: Client, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


class TestIncidents:
    def test_the_open_ones_come_first(self, reader: Client) -> None:
        old = incident(subject="resolved one", resolved_at=timezone.now())
        AlertIncident.objects.create(
            rule=old.rule,
            key="k",
            subject="open one",
            began_at=old.opened_at - timedelta(days=2),
            opened_at=old.opened_at - timedelta(days=2),
            fired_at=old.opened_at,
        )

        page = text(body(reader, "/alerts/"))

        assert page.index("open one") < page.index("resolved one")

    def test_its_page_tells_what_happened_and_who_was_told(self, reader: Client) -> None:
        found = incident()
        Delivery.objects.update(state="unknown", note="Nobody knows.", settled_at=timezone.now())

        page = text(body(reader, f"/alerts/{found.pk}/"))

        assert "The sync of shop has not come through for 6 minutes." in page
        assert "Unknown to on call" in re.sub(r"\s+", " ", page)
        assert "Nobody knows." in page

    def test_it_leads_to_what_changed_since(self, reader: Client) -> None:
        found = incident()

        began = quote(found.began_at.isoformat(timespec="seconds"))
        assert found.began_at < found.opened_at
        assert f"/since/?at={began}" in body(reader, f"/alerts/{found.pk}/")

    def test_an_operator_sees_to_it_with_a_note(self, actor: Client) -> None:
        found = incident()
        response = actor.post(f"/alerts/{found.pk}/acknowledge/", {"note": "I look\0 at it"})

        assert response.status_code == 422
        response = actor.post(f"/alerts/{found.pk}/acknowledge/", {"note": "I look at it"})
        assert response.status_code == 302
        page = text(body(actor, f"/alerts/{found.pk}/"))
        assert "olga" in page
        assert "I look at it" in page

    def test_one_that_resolved_meanwhile_is_left_as_it_is(self, actor: Client) -> None:
        found = incident(resolved_at=timezone.now())
        response = actor.post(f"/alerts/{found.pk}/acknowledge/", {"note": "x"}, follow=True)

        assert "It resolved in the meantime" in response.content.decode()

    def test_what_is_silenced_says_by_whom_and_why(self, reader: Client) -> None:
        found, now = incident(told_at=None), timezone.now()
        Silence.objects.create(
            reason="deploy", starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1),
            made_by=ada(), made_at=now,
        )  # fmt: skip

        assert "Silenced" in body(reader, "/alerts/")
        page = text(body(reader, f"/alerts/{found.pk}/"))
        assert "Silenced by ada: deploy. Nobody was told of it yet." in page

    def test_markup_and_secrets_stay_where_they_are(self, reader: Client) -> None:
        found = incident(subject=HOSTILE, sentence=HOSTILE, note=HOSTILE)
        for path in ("/alerts/", f"/alerts/{found.pk}/", "/alerts/rules/", "/alerts/channels/"):
            html = body(reader, path)
            assert "<script>alert(1)" not in html
            assert "s3cret" not in html
            assert inline_parts(html) == []

    @pytest.mark.parametrize("number", [1, 40])
    def test_a_list_of_any_length_takes_as_many_queries(
        self, reader: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        found = incident()
        for index in range(number):
            found.pk, found.key = None, f"k{index}"
            found.save()
        with django_assert_num_queries(7):
            reader.get("/alerts/")


class TestBell:
    def test_it_counts_what_is_open_on_every_page_and_asks_nothing_more(
        self, reader: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        account()
        with django_assert_num_queries(3):
            assert "none open" in body(reader, "/budget/")
        incident()
        incident(resolved_at=timezone.now())
        with django_assert_num_queries(3):
            assert "Alerts: 1 open" in " ".join(text(body(reader, "/budget/")).split())


class TestRules:
    terms = {"name": "Stale", "window": "5", "is_on": "on"}

    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bad-version"])
    def test_each_kind_has_a_form_that_says_what_is_wrong(self, admin: Client, kind: str) -> None:
        path = f"/alerts/rules/new/{kind}/"
        assert str(KINDS[kind].TITLE) in body(admin, path)

        response = admin.post(path, {"name": "kept", "window": "x", "at_least": "0", "left": "-1"})

        assert response.status_code == 422
        html = response.content.decode()
        assert 'value="kept"' in html
        assert "Write a whole number from" in html
        assert not AlertRule.objects.exists()

    def test_a_kind_with_nothing_to_set_but_its_name_needs_one(self, admin: Client) -> None:
        path = "/alerts/rules/new/bad-version/"
        assert str(KINDS["bad-version"].TITLE) in body(admin, path)

        assert admin.post(path, {"name": ""}).status_code == 422
        assert not AlertRule.objects.exists()

    def test_a_kind_that_there_is_not_is_not_found(self, admin: Client) -> None:
        assert admin.get("/alerts/rules/new/nonsense/").status_code == 404

    def test_one_is_saved_with_its_terms_and_channels(self, admin: Client) -> None:
        here = channel()
        response = admin.post(
            "/alerts/rules/new/failure-rate/",
            {
                **self.terms, "workflow": workflow().pk, "share": "10", "at_least": "3",
                "window": "30", "channels": [here.pk],
            },
        )  # fmt: skip

        made = AlertRule.objects.get()
        assert response["Location"] == made.get_absolute_url()
        assert made.terms == {"share": 10, "at_least": 3, "window": 30}
        assert (made.workflow, made.channels.get(), made.is_on) == (workflow(), here, True)
        assert 'value="10"' in body(admin, made.get_absolute_url())

    def test_a_rule_without_a_channel_says_that_nobody_is_told(self, admin: Client) -> None:
        response = admin.post("/alerts/rules/new/sync-stale/", self.terms, follow=True)

        assert "It sends to no channel" in response.content.decode()

    def test_it_is_tried_on_history_before_it_is_saved(self, admin: Client) -> None:
        now, subject = timezone.now(), f"sync:{account(name='shop').pk}"
        for hours, value in ((30, 0), (20, 7), (19, 0), (2, 9), (1, 0)):
            at = now - timedelta(hours=hours)
            AlertReading.objects.create(subject=subject, at=at, value=value)

        response = admin.post(
            "/alerts/rules/new/sync-stale/", {**self.terms, "window": "8", "backtest": "1"}
        )

        assert response.status_code == 200
        page = re.sub(r"\s+", " ", text(response.content.decode()))
        assert "Would have alerted 1 time since" in page
        assert "55 m 00 s" in page
        assert not AlertRule.objects.exists()

    def test_without_history_it_says_so(self, admin: Client) -> None:
        sent = {**self.terms, "backtest": "1"}
        response = admin.post("/alerts/rules/new/sync-stale/", sent)

        assert "No history to try it on" in response.content.decode()

    def test_one_that_is_removed_keeps_its_incidents(self, admin: Client) -> None:
        found = incident()
        admin.post(f"/alerts/rules/{found.rule_id}/remove/")

        assert "my sync-stale (removed)" in text(body(admin, f"/alerts/{found.pk}/"))
        assert admin.get(f"/alerts/rules/{found.rule_id}/").status_code == 404


class TestChannels:
    def test_its_address_is_sealed_and_never_shown_again(self, admin: Client) -> None:
        admin.post("/alerts/channels/new/", {"name": "on call", "address": SECRET})

        made = AlertChannel.objects.get()
        assert made.service == "JSON"
        assert made.address == SECRET
        assert "s3cret" not in made.sealed_address
        assert "s3cret" not in body(admin, made.get_absolute_url())

    @pytest.mark.parametrize("address", ["nonsense", "slack://s3cret", "json://a\0b/s3cret"])
    def test_one_that_cannot_be_used_is_refused_and_not_repeated(
        self, admin: Client, address: str
    ) -> None:
        response = admin.post("/alerts/channels/new/", {"name": "kept", "address": address})

        assert response.status_code == 422
        assert 'value="kept"' in response.content.decode()
        assert "s3cret" not in response.content.decode()

    def test_without_a_new_address_the_old_one_stays(self, admin: Client) -> None:
        made = channel(SECRET)
        admin.post(made.get_absolute_url(), {"name": "renamed", "address": ""})

        made.refresh_from_db()
        assert (made.name, made.address) == ("renamed", SECRET)

    def test_its_test_says_what_truly_became_of_it(self, admin: Client, settings: Settings) -> None:
        settings.ALERTS_ALLOW_PRIVATE = True
        with receiver() as hook:
            made = channel(hook.address)
            hook.answers = [404]
            failed = self.outcome(admin, made, hook)
            good = self.outcome(admin, made, hook)

        assert "JSON answered 404, and did not take it." in failed
        assert "JSON took it." in good
        assert "s3cret" not in failed + good
        assert hook.taken[0]["event"] == "test"

    def outcome(self, admin: Client, made: AlertChannel, hook: Receiver) -> str:
        response = admin.post(f"/alerts/channels/{made.pk}/test/", follow=True)
        return text(response.content.decode())

    def test_one_that_is_removed_forgets_its_address(self, admin: Client) -> None:
        found = incident()
        made = AlertChannel.objects.get()
        admin.post(f"/alerts/channels/{made.pk}/remove/")

        made.refresh_from_db()
        assert made.sealed_address == ""
        assert "on call" in body(admin, f"/alerts/{found.pk}/")


class TestSilences:
    def test_an_operator_silences_with_an_end_and_a_reason(self, actor: Client) -> None:
        until = timezone.now() + timedelta(hours=2)
        actor.post("/alerts/silences/", {"reason": "deploy", "ends_at": f"{until:%Y-%m-%dT%H:%M}"})

        made = Silence.objects.get()
        assert (made.made_by.username, made.reason, made.is_planned) == ("olga", "deploy", False)
        assert "deploy" in body(actor, "/alerts/silences/")
        actor.post(f"/alerts/silences/{made.pk}/end/")
        made.refresh_from_db()
        assert made.ended_at
        assert "deploy" not in text(body(actor, "/alerts/silences/"))

    @pytest.mark.parametrize(
        ("told", "says"),
        [
            ({"ends_at": "2020-01-01T00:00"}, "It ends before it begins"),
            ({"ends_at": "2199-01-01T00:00"}, "at most 90 days"),
            ({"ends_at": "soon"}, "“soon” is no time"),
            ({"starts_at": "2099-01-01", "ends_at": "2099-01-31", "is_weekly": "on"}, "a week"),
            ({"reason": "", "ends_at": "2020-01-01T00:00"}, "This field is required"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_lost(
        self, actor: Client, told: dict[str, str], says: str
    ) -> None:
        response = actor.post("/alerts/silences/", {"reason": "kept words", **told})

        assert response.status_code == 422
        assert says in response.content.decode()
        assert told["ends_at"] in response.content.decode()
        assert not Silence.objects.exists()

    def test_the_link_of_an_incident_fills_in_what_it_is_about(self, actor: Client) -> None:
        found = incident()

        page = body(actor, f"/alerts/silences/?rule={found.rule_id}")

        assert f'<option value="{found.rule_id}" selected>' in page
        assert actor.get("/alerts/silences/?rule=x&workflow=%00").status_code == 200


class TestRights:
    def test_a_viewer_sees_everything_and_changes_nothing(self, reader: Client) -> None:
        found = incident()
        rule_id, channel_id = found.rule_id, AlertChannel.objects.get().pk
        for path in ("", f"{found.pk}/", "rules/", f"rules/{rule_id}/", "channels/",
                     f"channels/{channel_id}/", "silences/"):  # fmt: skip
            assert reader.get(f"/alerts/{path}").status_code == 200
        for path in (f"{found.pk}/acknowledge/", "silences/"):
            refused = reader.post(f"/alerts/{path}", {"reason": "x"})
            assert refused.status_code == 403
            assert "takes the role operator" in refused.content.decode()
        self.refuses_admins_work(reader, rule_id, channel_id)

    def test_an_operator_does_not_say_what_is_alerted_of(self, actor: Client) -> None:
        found = incident()
        self.refuses_admins_work(actor, found.rule_id, AlertChannel.objects.get().pk)

    def refuses_admins_work(self, browser: Client, rule_id: int, channel_id: int) -> None:
        for path in ("rules/new/stuck/", f"rules/{rule_id}/", f"rules/{rule_id}/remove/",
                     "channels/new/", f"channels/{channel_id}/", f"channels/{channel_id}/test/",
                     f"channels/{channel_id}/remove/"):  # fmt: skip
            refused = browser.post(f"/alerts/{path}")
            assert refused.status_code == 403, path
            assert "takes the role admin" in refused.content.decode()

    def test_who_is_not_signed_in_sees_nothing(self, db: None, client: Client) -> None:
        assert User.objects.count() == 0
        assert client.get("/alerts/").status_code == 302
