from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.models import Decision, ErrorGroup, Instance, User, recording
from tests.models.test_error_groups import failed
from tests.rows import HOSTILE, minutes, version, workflow
from tests.views.test_instances import text


@pytest.fixture
def groups(db: None) -> list[ErrorGroup]:
    """Two causes of `orders` within the last hour, two and one; and one of `refunds` a week ago."""
    begun = timezone.now() - minutes(20)
    for number, word in enumerate(["gone", "gone", "stale"]):
        told = failed(f"Customer is {word}", started=begun)
        recording.record_detail(workflow(), f"o-{number}", told, now=timezone.now())
    old = failed("It is old", started=timezone.now() - timedelta(days=6))
    recording.record_detail(workflow("refunds"), "r-1", old, now=timezone.now())
    return [*ErrorGroup.objects.order_by("pk")]


def decide(browser: Client, group: ErrorGroup, kind: str, **fields: object) -> int:
    told = {"kind": kind, **fields}
    return browser.post(f"/groups/{group.pk}/decide/", told).status_code


class TestList:
    def test_what_matters_stands_first_with_its_count(
        self, reader: Client, groups: list[ErrorGroup]
    ) -> None:
        page = reader.get("/groups/").content.decode()

        titles = ["Customer is gone", "Customer is stale", "It is old"]
        assert [page.index(title) for title in titles] == sorted(
            page.index(title) for title in titles
        )
        assert "2 New" in text(page)
        assert "1 Quiet" in text(page)

    def test_the_address_narrows_it(self, reader: Client, groups: list[ErrorGroup]) -> None:
        for query, found in (
            ("workflow=acc1/refunds", "It is old"),
            ("state=quiet", "It is old"),
            ("state=new&state=quiet&since=24h", "Customer is gone"),
        ):
            page = reader.get(f"/groups/?{query}").content.decode()
            others = {"It is old", "Customer is gone"} - {found}
            assert found in page
            assert not any(other in page for other in others)

    def test_an_address_that_cannot_be_read_is_said(
        self, reader: Client, groups: list[ErrorGroup]
    ) -> None:
        response = reader.get("/groups/?since=forever&state=odd&workflow=none")

        assert response.status_code == 400
        assert "forever" in response.content.decode()

    def test_errored_instances_that_were_not_read_are_told(
        self, reader: Client, groups: list[ErrorGroup]
    ) -> None:
        Instance.objects.filter(instance_id="r-1").update(read_at=None)

        page = text(reader.get("/groups/").content.decode())

        assert "1 errored instance was not read yet and stands in no group" in page

    def test_without_any_failure_it_says_so(self, reader: Client) -> None:
        assert "Nothing failed in 7 days" in reader.get("/groups/").content.decode()


class TestPage:
    def test_it_tells_what_failed_and_links_what_failed_and_how_to_restart_it(
        self, client: Client, operator: User, groups: list[ErrorGroup], configured: object
    ) -> None:
        client.force_login(operator)
        group = groups[0]

        page = client.get(f"/groups/{group.pk}/").content.decode()

        assert "Customer is gone" in page
        assert "Failed 2 times" in text(page)
        assert f'value="q=group:{group.pk}%20status:errored"' in page
        assert "Restart these 2…" in text(page)
        assert "/instances/o-0" in page
        found = client.get(f"/instances/?q=group:{group.pk}").content.decode()
        assert "o-0" in found
        assert "o-2" not in found
        assert f'href="/groups/{group.pk}/"' in found

    def test_its_restart_leads_to_the_preview_of_just_these(
        self, client: Client, operator: User, groups: list[ErrorGroup], configured: object
    ) -> None:
        client.force_login(operator)
        told = {
            "kind": "restart",
            "matching": "1",
            "list": f"q=group:{groups[0].pk}%20status:errored",
        }

        response = client.post("/operations/bulk/", told)

        assert response.status_code == 200
        page = text(response.content.decode())
        assert "o-0" in page
        assert "o-1" in page
        assert "o-2" not in page

    def test_the_page_of_an_instance_leads_to_its_group(
        self, reader: Client, groups: list[ErrorGroup]
    ) -> None:
        row = Instance.objects.with_workflow().get(instance_id="o-0")

        assert (
            f'href="/groups/{groups[0].pk}/"' in reader.get(row.get_absolute_url()).content.decode()
        )

    def test_what_is_not_there_is_said(self, reader: Client) -> None:
        assert reader.get("/groups/4711/").status_code == 404
        assert reader.get("/groups/99999999999999999999/").status_code == 404

    def test_markup_in_an_error_is_text(self, reader: Client) -> None:
        recording.record_detail(workflow(), "x", failed(HOSTILE), now=timezone.now())
        group = ErrorGroup.objects.get()

        for path in ("/groups/?since=30d", f"/groups/{group.pk}/", "/instances/"):
            page = reader.get(path).content.decode()
            assert "<script>alert" not in page
            assert "<img src=x" not in page


class TestSaying:
    @pytest.fixture(autouse=True)
    def signed_in(self, client: Client, operator: User) -> None:
        client.force_login(operator)

    def test_resolved_in_a_version_is_kept_with_who_and_why(
        self, client: Client, operator: User, groups: list[ErrorGroup]
    ) -> None:
        version("v2", created_on=timezone.now())

        assert decide(client, groups[0], "resolved", version_id="v2", reason="fixed in #7") == 302

        said = Decision.objects.get()
        assert (said.decided_by, said.version_id, said.reason) == (operator, "v2", "fixed in #7")
        page = text(client.get(f"/groups/{groups[0].pk}/").content.decode())
        assert "Resolved in v2 by olga" in page
        assert "fixed in #7" in page
        assert "1 Resolved" in text(client.get("/groups/").content.decode())

    def test_ignoring_wants_an_end_and_a_reason_and_loses_nothing(
        self, client: Client, groups: list[ErrorGroup]
    ) -> None:
        url = f"/groups/{groups[0].pk}/decide/"

        response = client.post(url, {"kind": "ignored", "reason": "known since <b>May"})

        assert response.status_code == 422
        page = response.content.decode()
        assert "Say what ends it" in page
        assert "known since &lt;b&gt;May" in page
        response = client.post(url, {"kind": "ignored", "per_hour": "5", "until_at": "soon"})
        assert response.status_code == 422
        assert "is no time" in response.content.decode()
        assert "Say why" in response.content.decode()
        assert not Decision.objects.exists()
        assert decide(client, groups[0], "ignored", further=5, reason="known") == 302
        assert "1 Ignored" in text(client.get("/groups/").content.decode())
        assert decide(client, groups[0], "reopened") == 302
        assert "2 New" in text(client.get("/groups/").content.decode())

    def test_a_merged_group_says_so_and_can_be_split_off(
        self, client: Client, groups: list[ErrorGroup]
    ) -> None:
        one, two, other = groups

        assert decide(client, one, "merged", other=two.pk, reason="the same") == 302
        assert decide(client, one, "merged", other=other.pk) == 422
        assert "Merged into" in client.get(f"/groups/{one.pk}/").content.decode()
        assert "Failed 3 times" in text(client.get(f"/groups/{two.pk}/").content.decode())
        assert f'id="group-{one.pk}"' not in client.get("/groups/").content.decode()
        assert decide(client, one, "split") == 302
        assert f'id="group-{one.pk}"' in client.get("/groups/").content.decode()

    def test_an_empty_note_and_an_unknown_saying_are_refused(
        self, client: Client, groups: list[ErrorGroup]
    ) -> None:
        assert decide(client, groups[0], "note", reason=" ") == 422
        assert decide(client, groups[0], "loved") == 404
        assert decide(client, groups[0], "note", reason="see ticket") == 302
        assert client.get(f"/groups/{groups[0].pk}/decide/").status_code == 405


def test_a_viewer_reads_and_says_nothing(reader: Client, groups: list[ErrorGroup]) -> None:
    page = reader.get(f"/groups/{groups[0].pk}/").content.decode()

    assert "Resolved in version" not in page
    assert decide(reader, groups[0], "note", reason="hello") == 403
    assert not Decision.objects.exists()
