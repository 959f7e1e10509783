from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Self

from django.db.models import Q


@dataclass(frozen=True)
class InstanceFilters:
    """Which instances are wanted; what is left empty does not narrow.

    `workflows` are pairs of account id and name. `version` is an id or its beginning, `text` any
    part of the instance's id. The time range holds its start and not its end.
    """

    statuses: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    workflows: tuple[tuple[str, str], ...] = ()
    version: str = ""
    triggers: tuple[str, ...] = ()
    time_field: str = "created_on"
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    @property
    def condition(self) -> Q:
        """All of them at once, for a QuerySet of instances."""
        wanted = Q()
        if self.statuses:
            wanted &= Q(status__in=self.statuses)
        if self.accounts or self.workflows:
            wanted &= self._places
        if self.version:
            wanted &= Q(version_id__startswith=self.version)
        if self.triggers:
            wanted &= Q(trigger__in=self.triggers)
        if self.since:
            wanted &= Q((f"{self.time_field}__gte", self.since))
        if self.until:
            wanted &= Q((f"{self.time_field}__lt", self.until))
        if self.text:
            wanted &= Q(instance_id__icontains=self.text)
        return wanted

    @property
    def _places(self) -> Q:
        """In any of these accounts or workflows."""
        places = [
            Q(workflow__account__account_id=account_id, workflow__name=name)
            for account_id, name in self.workflows
        ]
        if self.accounts:
            places.append(Q(workflow__account__account_id__in=self.accounts))
        return reduce(or_, places)

    @property
    def of_any_status(self) -> Self:
        return replace(self, statuses=())

    @property
    def of_any_time(self) -> Self:
        return replace(self, since=None, until=None)
