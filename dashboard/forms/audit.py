"""Which of all that people did is wanted."""

from __future__ import annotations

from typing import cast

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.forms.instant import InstantField
from dashboard.forms.workflow_choice import WorkflowFilter
from dashboard.models import Access, Item, Operation, User
from dashboard.models.operation import Kind, State
from dashboard.models.storing import storable


class AuditForm(forms.Form):
    """Who, what, where, how it ended and when; what is left empty does not narrow."""

    by = forms.ModelChoiceField(
        User.objects.order_by("username"),
        required=False,
        to_field_name="username",
        label=gettext_lazy("Who"),
        empty_label=gettext_lazy("anybody"),
    )
    kind = forms.ChoiceField(
        choices=[("", gettext_lazy("anything")), *Kind.choices],
        required=False,
        label=gettext_lazy("What"),
    )
    workflow = WorkflowFilter()
    state = forms.ChoiceField(
        choices=[("", gettext_lazy("any")), *State.choices],
        required=False,
        label=gettext_lazy("Some ended as"),
    )
    instance = forms.CharField(
        max_length=271, required=False, strip=False, label=gettext_lazy("Instance id")
    )

    def __init__(self, given: QueryDict, access: Access) -> None:
        super().__init__(given)
        # `from` is a word of Python's, so it cannot be declared above.
        hint = forms.TextInput(attrs={"placeholder": "2026-11-20T03:00"})
        self.fields["from"] = InstantField(required=False, label=_("Asked from (UTC)"), widget=hint)
        self.fields["to"] = InstantField(required=False, label=_("to (UTC)"), widget=hint)
        self.its_workflow = cast(WorkflowFilter, self.fields["workflow"])
        self.its_workflow.offer(access)

    def clean_instance(self) -> str:
        return storable(self.cleaned_data["instance"])

    @property
    def condition(self) -> Q:
        """For a QuerySet of operations; of what could not be read nothing is found."""
        if not self.is_valid():
            return Q(pk=None)
        told = self.cleaned_data
        wanted = Q()
        if told["by"]:
            wanted &= Q(requested_by=told["by"])
        if told["kind"]:
            wanted &= Q(kind=told["kind"])
        if workflow := self.its_workflow.keys.get(told["workflow"]):
            its = Item.objects.filter(operation=OuterRef("pk"), workflow=workflow)
            wanted &= Q(workflow=workflow) | Q(Exists(its), workflow=None)
        if told["state"]:
            wanted &= Q(Exists(Item.objects.filter(operation=OuterRef("pk"), state=told["state"])))
        if told["instance"]:
            of_instance = Item.objects.filter(instance_id=told["instance"])
            wanted &= Q(pk__in=of_instance.order_by().values("operation"))
        if told["from"]:
            wanted &= Q(requested_at__gte=told["from"])
        if told["to"]:
            wanted &= Q(requested_at__lt=told["to"])
        return wanted

    def items(self, operations: QuerySet[Operation]) -> QuerySet[Item]:
        """What these operations did to each instance, narrowed as far as the form says."""
        found = Item.objects.filter(operation__in=operations.order_by())
        told = self.cleaned_data
        narrowed = {
            "workflow": self.its_workflow.keys.get(told["workflow"]),
            "state": told["state"],
            "instance_id": told["instance"],
        }
        return found.filter(**{name: value for name, value in narrowed.items() if value})
