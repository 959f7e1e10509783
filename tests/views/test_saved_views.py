from __future__ import annotations

import pytest
from django.test import Client

from dashboard.models import SavedView, User
from dashboard.views.current_view import SYSTEM_VIEWS
from tests.rows import HOSTILE, THEN, instance
from tests.views.test_instances import text


def view(owner: User, name: str = "Broken", **facts: object) -> SavedView:
    given = {"query": "q=status:errored", "saved_at": THEN} | facts
    return SavedView.objects.create(owner=owner, name=name, **given)


def save(browser: Client, **fields: str) -> SavedView:
    response = browser.post("/views/new/", {"query": "q=status:errored", **fields})
    assert response.status_code == 302
    return SavedView.objects.get(name=fields["name"])


class TestSaving:
    def test_a_list_is_saved_under_a_name_and_its_link_leads_there(
        self, reader: Client, viewer: User
    ) -> None:
        passing = "after=x&shown=1.2&view=stuck"
        made = save(reader, name="Bro/ken ✓", query=f"?q=status:errored&{passing}")

        assert (made.owner, made.query, made.is_shared) == (viewer, "q=status:errored", False)
        response = reader.get(made.get_absolute_url())
        assert response["Location"] == f"/instances/?q=status:errored&view={made.pk}"
        page = reader.get(response["Location"]).content.decode()
        assert "<h1>Bro/ken ✓</h1>" in page

    def test_a_name_that_is_missing_or_too_long_is_said_and_nothing_is_lost(
        self, reader: Client
    ) -> None:
        for name in ("", "x" * 81, "a\0b"):
            response = reader.post("/views/new/", {"name": name, "query": "q=x", "is_shared": "on"})

            assert response.status_code == 422
            assert 'value="q=x"' in response.content.decode()
            assert "checked" in response.content.decode()
        assert not SavedView.objects.exists()

    def test_a_view_that_was_changed_says_so_and_can_be_saved(
        self, reader: Client, viewer: User
    ) -> None:
        mine = view(viewer)

        same = reader.get(f"/instances/?view={mine.pk}&q=status:errored").content.decode()
        other = reader.get(f"/instances/?view={mine.pk}&q=status:running").content.decode()

        assert "Broken changed" not in text(same)
        assert "Broken changed" in text(other)
        assert "Save the change" in other
        assert "Save as new view" in other

    def test_a_hostile_name_is_text(self, reader: Client, viewer: User) -> None:
        mine = view(viewer, name=HOSTILE[:80], query="q=%00%ED%A0%80<script>")

        for path in ("/views/", f"/instances/?view={mine.pk}", f"/views/change/{mine.pk}/"):
            assert "<script>alert(1)" not in reader.get(path).content.decode()
        assert reader.get(mine.get_absolute_url(), follow=True).status_code in {200, 400}


class TestRights:
    def test_a_view_of_ones_own_is_nobody_elses(self, reader: Client, operator: User) -> None:
        private = view(operator)

        for path in ("change", "copy", "delete"):
            assert reader.post(f"/views/{path}/{private.pk}/").status_code == 404
        assert reader.get(private.get_absolute_url()).status_code == 404
        assert "Broken" not in reader.get(f"/instances/?view={private.pk}").content.decode()
        assert "Broken" not in reader.get("/views/").content.decode()
        assert "Broken" not in reader.get("/go/?q=broken").content.decode().replace("“broken”", "")

    def test_a_shared_view_is_for_everyone_to_see_and_copy_but_not_to_change(
        self, reader: Client, viewer: User, operator: User
    ) -> None:
        shared = view(operator, is_shared=True)

        assert "Broken" in reader.get("/instances/").content.decode()
        refused = reader.post(f"/views/change/{shared.pk}/", {"name": "Mine"})
        assert refused.status_code == 403
        assert "Only olga" in refused.content.decode()
        assert reader.post(f"/views/delete/{shared.pk}/").status_code == 403
        assert reader.post(f"/views/copy/{shared.pk}/").status_code == 302
        copy = SavedView.objects.get(owner=viewer)
        assert (copy.query, copy.is_shared) == (shared.query, False)
        assert SavedView.objects.get(pk=shared.pk).name == "Broken"

    def test_its_owner_changes_and_deletes_it(self, reader: Client, viewer: User) -> None:
        mine = view(viewer)

        reader.post(f"/views/change/{mine.pk}/", {"name": "New", "is_shared": "on", "query": "q=b"})
        mine.refresh_from_db()
        assert (mine.name, mine.is_shared, mine.query) == ("New", True, "q=b")
        reader.post(f"/views/delete/{mine.pk}/")
        assert not SavedView.objects.exists()

    def test_an_admin_changes_what_is_shared(self, client: Client, operator: User) -> None:
        shared = view(operator, is_shared=True)
        client.force_login(User.objects.create(username="ada", role="admin"))

        client.post(f"/views/change/{shared.pk}/", {"name": "Kept", "is_shared": "on"})

        shared.refresh_from_db()
        assert (shared.name, shared.owner) == ("Kept", operator)

    @pytest.mark.parametrize("path", ["copy", "delete"])
    def test_a_link_alone_changes_nothing(self, reader: Client, viewer: User, path: str) -> None:
        assert reader.get(f"/views/{path}/{view(viewer).pk}/").status_code == 405


@pytest.mark.parametrize("system", SYSTEM_VIEWS, ids=lambda view: view.slug)
def test_every_system_view_is_a_list_that_can_be_read_and_is_not_changed(
    reader: Client, system: object
) -> None:
    instance("one")

    response = reader.get(system.get_absolute_url())  # type: ignore[attr-defined]

    assert response.status_code == 200
    assert f"<h1>{system.name}</h1>" in response.content.decode()  # type: ignore[attr-defined]
