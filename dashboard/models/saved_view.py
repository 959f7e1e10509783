from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.text import slugify

from dashboard.models import by_hand
from dashboard.models.access import access_of
from dashboard.models.user import User

#: By hand, for each page of the list names them.
NAMED = """
    SELECT view.id, view.name, view.query, view.is_shared, view.owner_id, owner.username
    FROM dashboard_savedview AS view JOIN dashboard_user AS owner ON owner.id = view.owner_id
    WHERE view.owner_id IN {} OR view.is_shared ORDER BY lower(view.name), view.id
"""


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> Self:
        """Their own and the shared ones, by name."""
        mine = models.Q(owner=user) | models.Q(is_shared=True)
        found = self.filter(mine).select_related("owner").order_by(Lower("name"), "pk")
        return found.only("name", "query", "is_shared", "owner__username")


class SavedView(models.Model):
    """A query of the instance list under a name. `query`: the part of its address behind the `?`.

    Only its owner and admins change it; once `is_shared`, everybody sees it.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=4000, blank=True)
    is_shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The link that people share; its words are only for them."""
        return reverse("saved-view", args=[self.pk, slugify(self.name) or "view"])

    def may_be_changed_by(self, user: User) -> bool:
        return self.owner_id == user.pk or access_of(user).is_admin


def named_views(user: User) -> list[SavedView]:
    """Those that are visible to this user, by name, as `visible_to` gives them."""
    views = []
    for pk, name, query, is_shared, owner_id, owner_name in by_hand.rows(NAMED, [user.pk]):
        owner = User(pk=owner_id, username=owner_name)
        views.append(SavedView(pk=pk, name=name, query=query, is_shared=is_shared, owner=owner))
    return views
