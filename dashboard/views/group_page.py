"""Everything the page of one group shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.utils.translation import get_language, gettext

from dashboard import operations
from dashboard.forms.groups import FORMS, SayingForm
from dashboard.insight.charts import Chart, stacked
from dashboard.insight.spark import columns
from dashboard.models import Decision, ErrorGroup, Instance, User, group_figures
from dashboard.models.contrasting import Contrast, contrast_of
from dashboard.models.filters import Choice, InstanceFilters
from dashboard.models.group_figures import GroupFigures
from dashboard.models.keyset import Order, first_keys
from dashboard.models.list_row import ListRow, list_rows
from dashboard.models.matching import Matching
from dashboard.models.operation import Kind
from dashboard.views.recently import worked_out

CHARTED = timedelta(days=7)
STEP = timedelta(hours=6)
#: Versions look this far back.
KNOWN = timedelta(days=31)
SHOWN = 10
SAYINGS = 50


class GroupPage:
    """`bound`: the form that was sent and does not fit, by the kind of saying."""

    def __init__(
        self,
        group: ErrorGroup,
        user: User,
        now: datetime,
        bound: dict[str, SayingForm] | None = None,
    ) -> None:
        self.group, self.user, self.now = group, user, now
        self.bound = bound or {}

    @cached_property
    def figures(self) -> GroupFigures:
        return group_figures.figures([self.group], since=self.now - KNOWN, now=self.now)[0]

    @property
    def columns(self) -> list[tuple[datetime, int]]:
        """What failed in the last days, in intervals of six hours."""
        today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        hours = self.figures.counted.hours
        return columns(hours, since=today - CHARTED, now=self.now, step=STEP)

    @property
    def chart(self) -> Chart:
        told = [(begins, {"errored": count}) for begins, count in self.columns]
        return stacked(told, ["errored"], STEP)

    @cached_property
    def _contrast(self) -> tuple[datetime, Contrast]:
        members = self.figures.members
        # In the reader's words.
        key = f"contrast:{hash(tuple(sorted(members)))}:{get_language()}"
        return worked_out(key, self.now, lambda: contrast_of(self.group, members))

    @property
    def contrast(self) -> Contrast:
        return self._contrast[1]

    @property
    def contrasted_at(self) -> datetime:
        """When that was worked out."""
        return self._contrast[0]

    @property
    def query(self) -> str:
        """Finds its instances in the list."""
        return f"group:{self.group.pk}"

    @property
    def list_query(self) -> str:
        """The address of the list of those that stand errored now."""
        return f"q={quote(f'{self.query} status:errored', safe=':')}"

    @cached_property
    def matching(self) -> Matching:
        filters = InstanceFilters(groups=Choice((str(self.group.pk),)))
        return Matching(Instance.objects.all(), filters)

    @cached_property
    def newest(self) -> list[ListRow]:
        order = Order("created_on", is_nullable=False)
        return list_rows(first_keys(self.matching.lists, order, limit=SHOWN))

    @property
    def errored(self) -> int:
        """How many stand errored now."""
        return self.matching.counts.numbers.get("errored", 0)

    @property
    def errored_text(self) -> str:
        return f"{self.errored:,}{'' if self.matching.counts.is_exact(['errored']) else '+'}"

    @property
    def decisions(self) -> list[Decision]:
        told = Decision.objects.filter(group__in=[self.group.pk])
        return [*told.select_related("decided_by", "other")[:SAYINGS]]

    @cached_property
    def merged(self) -> list[ErrorGroup]:
        """What was merged right into it."""
        return [*self.group.merged.order_by("-last_seen_on", "-pk")]

    @cached_property
    def why_not(self) -> str:
        """Why this reader cannot say anything of it; "" when they can."""
        return operations.refusal_for_user(self.user, self.group.workflow)

    @property
    def can_restart(self) -> bool:
        return not self.why_not and self.errored > 0 and Kind.RESTART in operations.kinds_on_offer()

    @property
    def forms(self) -> list[tuple[str, str, SayingForm, bool]]:
        """What can be said of it now: kind, what its button says, form, and whether it is open."""
        has_decision = self.group.decision is not None and self.group.decision.kind != "reopened"
        words: dict[str, str] = {
            "note": gettext("Note"),
            "resolved": gettext("Resolve"),
            "ignored": gettext("Ignore until…"),
        }
        if has_decision:
            words = {"note": words["note"], "reopened": gettext("Open again")} | words
        words["merged"] = gettext("Merge into another")
        return [(kind, word, self._form(kind), kind in self.bound) for kind, word in words.items()]

    def _form(self, kind: str) -> SayingForm:
        options: dict[str, Any] = {"auto_id": f"id_{kind}_%s", "group": self.group}
        return self.bound.get(kind) or FORMS[kind](**options)
