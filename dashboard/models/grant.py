from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from dashboard.models.kept import Kept
from dashboard.models.storing import storable
from dashboard.models.user import Role, User

#: What a grant can give. An admin is one of everything, so no grant makes one.
GRANTED = [(role.value, role.label) for role in (Role.VIEWER, Role.OPERATOR)]


class GrantQuerySet(models.QuerySet["Grant"]):
    def described(self) -> Self:
        """With who has it and who gave it, by name."""
        return self.select_related("user", "granted_by").order_by(
            "user__username", "group_name", "account_id", "pattern", "pk"
        )


class Grant(models.Model):
    """A role for some workflows, given to a user or to all of a group of the identity provider.

    `account_id`: Cloudflare's, "" for every account. `pattern`: which workflows, by name, as a
    shell matches files: `orders-*`. Workflows that are made later are matched as well.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="grants")
    group_name = models.CharField(max_length=200, default="", blank=True)
    role = models.CharField(max_length=16, choices=GRANTED)
    account_id = models.CharField(max_length=64, default="", blank=True)
    pattern = models.CharField(max_length=200, default="*")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField()

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group_name="")
                | (Q(user__isnull=True) & ~Q(group_name="")),
                name="grant_to_user_or_group",
            )
        ]
        indexes = [models.Index(fields=["group_name"], name="grant_of_group")]

    def __str__(self) -> str:
        text = _("%(role)s for %(pattern)s")
        if self.account_id:
            text = _("%(role)s for %(pattern)s of account %(account)s")
        return text % {"role": self.role, "pattern": self.pattern, "account": self.account_id}

    @property
    def holder(self) -> str:
        """Who has it, in words."""
        if self.user:
            return self.user.username
        return _("the group %(group)s") % {"group": self.group_name}


class AccessChange(Kept):
    """Who changed what somebody may do, when and how: written once, never changed.

    `changed_by` is None where it was done in a shell, or by signing in for the first time.
    """

    about = models.CharField(max_length=210)
    words = models.TextField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at", "-pk"]
        indexes = [models.Index(fields=["-changed_at", "-id"], name="access_change_newest")]

    def __str__(self) -> str:
        return f"{self.about}: {self.words}"


def note_change(about: str, words: str, *, by: User | None, now: datetime) -> None:
    """Writes down that somebody's rights were changed; call it in the same transaction."""
    AccessChange.objects.create(
        about=storable(about)[:210], words=storable(words), changed_by=by, changed_at=now
    )
