"""Who may see and do what: the one place that decides it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q

from dashboard.models import by_hand
from dashboard.models.user import Role, User
from dashboard.models.workflow import Workflow

GRANTS = """
    SELECT role, account_id, pattern, 0 FROM dashboard_grant
    WHERE user_id IN {} OR (user_id IS NULL AND group_name IN {})
"""
#: The names of all workflows, where grants alone say which ones are seen.
AND_WORKFLOWS = """
    UNION ALL SELECT '', account.account_id, workflow.name, workflow.id
    FROM dashboard_workflow AS workflow
    JOIN dashboard_account AS account ON account.id = workflow.account_id
"""


class Given(NamedTuple):
    """A role for the workflows of an account, "" for any, whose names fit the pattern."""

    role: Role
    account_id: str
    pattern: str

    def fits(self, account_id: str, name: str) -> bool:
        return self.account_id in {"", account_id} and fnmatchcase(name, self.pattern)

    @property
    def is_of_all(self) -> bool:
        return not self.account_id and self.pattern == "*"


class Access:
    """What one person may see and do. Asks the database once at most, and never for those whose own
    role is enough for what is asked."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.most = most_of(user)
        self.own = lowest(own_role(user), self.most)

    @cached_property
    def everywhere(self) -> Role:
        """Their role for each workflow that there is or will be."""
        if self.own.covers(Role.OPERATOR):
            return self.own
        return highest([self.own, *(one.role for one in self._given if one.is_of_all)])

    @property
    def is_admin(self) -> bool:
        """May say who may do what, and what is alerted of."""
        return self.own is Role.ADMIN

    @property
    def sees_all(self) -> bool:
        return self.own.covers(Role.VIEWER) or self.everywhere.covers(Role.VIEWER)

    @property
    def sees_nothing(self) -> bool:
        """Nobody has given them anything."""
        return not self.sees_all and not self._given

    @property
    def operates_all(self) -> bool:
        return self.everywhere.covers(Role.OPERATOR)

    @property
    def operates(self) -> bool:
        """May act on instances of some workflow, if there is one."""
        return self.operates_all or any(one.role.covers(Role.OPERATOR) for one in self._given)

    def role_of(self, account_id: str, name: str) -> Role:
        """Their role for the workflow of this name, whether there is one or not."""
        if self.own.covers(Role.OPERATOR):
            return self.own
        return highest([self.own, *(g.role for g in self._given if g.fits(account_id, name))])

    def role_for(self, workflow: Workflow) -> Role:
        """The same for a workflow, which comes with its account."""
        if self.own.covers(Role.OPERATOR):
            return self.own
        return self.role_of(workflow.account.account_id, workflow.name)

    def sees(self, workflow: Workflow) -> bool:
        return self.sees_all or self.role_for(workflow).covers(Role.VIEWER)

    def can_operate(self, workflow: Workflow) -> bool:
        return self.operates_all or self.role_for(workflow).covers(Role.OPERATOR)

    def sees_named(self, account_id: str, name: str) -> bool:
        """The same for the workflow of this name, whether there is one or not."""
        return self.sees_all or self.role_of(account_id, name).covers(Role.VIEWER)

    def sees_account(self, account_id: str) -> bool:
        """Whether a workflow of it may be seen, or will be if there ever is one."""
        return self.accounts is None or account_id in self.accounts

    @cached_property
    def workflows(self) -> frozenset[int] | None:
        """The keys of the workflows that may be seen; None: all."""
        if self.sees_all:
            return None
        return frozenset(
            pk
            for account_id, name, pk in self._places
            if any(one.fits(account_id, name) for one in self._given)
        )

    @cached_property
    def accounts(self) -> frozenset[str] | None:
        """The ids of the accounts of which something may be seen; None: all."""
        if self.sees_all:
            return None
        named = {one.account_id for one in self._given if one.account_id}
        return frozenset(named) | {
            account_id
            for account_id, name, _ in self._places
            if any(one.fits(account_id, name) for one in self._given)
        }

    def seen(self, column: str = "workflow") -> Q:
        """A condition on rows with this key of a workflow: that it may be seen."""
        return Q() if self.workflows is None else Q((f"{column}__in", self.workflows))

    @cached_property
    def key(self) -> str:
        """The same for people who may see and do the same: they can share a page."""
        if self.own.covers(Role.OPERATOR):
            return self.own.value
        return " ".join([self.own.value, *sorted(map(repr, self._given))])

    @property
    def _given(self) -> list[Given]:
        return self._told[0]

    @property
    def _places(self) -> list[tuple[str, str, int]]:
        return self._told[1]

    @cached_property
    def _told(self) -> tuple[list[Given], list[tuple[str, str, int]]]:
        has_any = getattr(self.user, "has_grants", True)  # It came with the user, where known.
        if not self.user.is_active or not (has_any or self.user.told_groups):
            return [], []
        statement = GRANTS if self.own.covers(Role.VIEWER) else GRANTS + AND_WORKFLOWS
        # No grant is to a group without a name.
        rows = by_hand.rows(statement, [self.user.pk], [*self.user.told_groups, ""])
        given = [
            Given(lowest(Role(role), self.most), *place) for role, *place, pk in rows if not pk
        ]
        return given, [(account_id, name, pk) for _, account_id, name, pk in rows if pk]


def access_of(user: User) -> Access:
    """What the user may see and do: worked out once for each time that they were read."""
    if not hasattr(user, "_access"):
        user._access = Access(user)  # type: ignore[attr-defined]
    found: Access = user._access  # type: ignore[attr-defined]
    return found


def own_role(user: User) -> Role:
    """What they may do everywhere without any grant: by their role, or by groups that the settings
    name."""
    if not user.is_active:
        return Role.NONE
    told = {*user.told_groups}
    by_group = (role for role, groups in settings.GROUP_ROLES.items() if told & groups)
    return highest([Role(user.role), *map(Role, by_group)])


def most_of(user: User) -> Role:
    """What whoever asks may do at most: a token no more than its scope, and no admin's work."""
    if user.token is None:
        return Role.ADMIN
    return Role.OPERATOR if user.token.may_operate else Role.VIEWER


def lowest(*roles: Role) -> Role:
    return min(roles, key=[*Role].index)


def highest(roles: Iterable[Role]) -> Role:
    return max(roles, key=[*Role].index)
