"""Which groups of failures are wanted, and what somebody says of one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy

from dashboard.forms.instant import InstantField
from dashboard.forms.workflow_choice import WorkflowFilter
from dashboard.insight.group_state import GroupState
from dashboard.models import Access, Decision, ErrorGroup, Version
from dashboard.models.storing import storable

PERIODS = {
    "24h": (gettext_lazy("24 hours"), timedelta(hours=24), timedelta(hours=1)),
    "7d": (gettext_lazy("7 days"), timedelta(days=7), timedelta(hours=6)),
    "30d": (gettext_lazy("30 days"), timedelta(days=30), timedelta(days=1)),
}
USUAL = "7d"


class GroupFilterForm(forms.Form):
    """The address of the list of groups; what is left empty does not narrow."""

    workflow = WorkflowFilter()
    state = forms.MultipleChoiceField(
        choices=lambda: [(state.slug, state.word) for state in GroupState],
        required=False,
        label=gettext_lazy("State"),
    )
    since = forms.ChoiceField(
        choices=[(name, word) for name, (word, *_) in PERIODS.items()],
        label=gettext_lazy("Seen in the last"),
        error_messages={
            "invalid_choice": format_lazy(
                gettext_lazy("“%(value)s” is none of {periods}."), periods=", ".join(PERIODS)
            )
        },
    )

    def __init__(self, given: QueryDict, access: Access) -> None:
        told = given.copy()
        told.setdefault("since", USUAL)
        super().__init__(told)
        self.access = access
        self.its_workflow = cast(WorkflowFilter, self.fields["workflow"])
        self.its_workflow.offer(access)

    @property
    def period(self) -> str:
        """The name of the period that is chosen, or the usual one."""
        self.is_valid()
        return self.cleaned_data.get("since") or USUAL

    @property
    def within(self) -> Collection[int] | None:
        """The keys of the workflows that groups are wanted of; None: all."""
        self.is_valid()
        chosen = self.its_workflow.keys.get(self.cleaned_data.get("workflow", ""))
        return self.access.workflows if chosen is None else [chosen]

    @property
    def states(self) -> set[str]:
        self.is_valid()
        return {*self.cleaned_data.get("state", ())}


class SayingForm(forms.Form):
    """What all that is said of a group has: why."""

    reason = forms.CharField(
        max_length=2000,
        required=False,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Kept with your name, so that the next on call can read it."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "prose"}),
    )

    def __init__(self, *args: Any, group: ErrorGroup, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group

    def clean_reason(self) -> str:
        return storable(self.cleaned_data["reason"])

    def facts(self) -> dict[str, Any]:
        """What is kept of it."""
        return self.cleaned_data


class NoteForm(SayingForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        reason.label, reason.required = gettext("Note"), True
        reason.help_text = ""
        reason.error_messages["required"] = gettext("Write something first.")


class ResolvedForm(SayingForm):
    field_order = ("version_id", "reason")

    version_id = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Resolved in version"),
        help_text=gettext_lazy("A failure in an older version does not bring it back."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = Version.objects.filter(workflow=self.group.workflow_id)
        newest = versions.order_by("-created_on", "-pk").values_list("version_id", flat=True)[:50]
        choices = [("", gettext("any: each failure from now on brings it back"))]
        choices += [(version_id, version_id) for version_id in newest]
        self.fields["version_id"].choices = choices  # type: ignore[attr-defined]


class IgnoredForm(SayingForm):
    field_order = ("until_at", "per_hour", "further", "reason")

    until_at = InstantField(
        required=False,
        label=gettext_lazy("Until (UTC)"),
        widget=forms.TextInput(attrs={"placeholder": "2026-11-21T06:00"}),
    )
    per_hour = forms.IntegerField(
        min_value=0,
        max_value=10**9,
        required=False,
        label=gettext_lazy("Until more fail in one hour than"),
    )
    further = forms.IntegerField(
        min_value=1,
        max_value=10**9,
        required=False,
        label=gettext_lazy("Until so many more have failed"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = gettext(
            "Say why; it is kept with your name."
        )

    def clean(self) -> dict[str, Any]:
        ends = ("until_at", "per_hour", "further")
        if not self.errors and all(self.cleaned_data.get(name) is None for name in ends):
            self.add_error("until_at", gettext("Say what ends it: a moment, a rate, or a number."))
        return self.cleaned_data


class MergedForm(SayingForm):
    field_order = ("other", "reason")

    other = forms.ModelChoiceField(
        ErrorGroup.objects.none(),
        label=gettext_lazy("The same cause as"),
        empty_label=None,
        error_messages={"required": gettext_lazy("Choose the group that it belongs to.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = ErrorGroup.objects.heads().filter(workflow=self.group.workflow_id)
        found = others.exclude(pk=self.group.pk).order_by("-last_seen_on", "-pk")
        field = self.fields["other"]
        field.queryset = found  # type: ignore[attr-defined]
        field.choices = [(one.pk, one.title[:120]) for one in found[:100]]  # type: ignore[attr-defined]


FORMS: dict[str, type[SayingForm]] = {
    Decision.Kind.RESOLVED: ResolvedForm,
    Decision.Kind.IGNORED: IgnoredForm,
    Decision.Kind.REOPENED: SayingForm,
    Decision.Kind.NOTE: NoteForm,
    Decision.Kind.MERGED: MergedForm,
    Decision.Kind.SPLIT: SayingForm,
}
