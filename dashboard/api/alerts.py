"""Alerts: what rules found, and who sees to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import F
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from dashboard import alerts
from dashboard.api import seen
from dashboard.api.failures import Misfit, Refused
from dashboard.api.identity import Expensive, asking
from dashboard.api.shapes import Id, Paged, PageNumber, answers, base_of, plain
from dashboard.forms.alerts import AcknowledgeForm
from dashboard.models import AlertEvent, AlertIncident, User
from dashboard.views.guards import may_handle_alerts

router = Router(tags=["Alerts"])


class AlertTold(Schema):
    """What a rule found, from when it began until it was gone. `fired_at`: when it was last seen
    so."""

    pk: int
    rule: str
    subject: str
    sentence: str
    figures: Any
    account_id: str | None
    workflow: str | None
    opened_at: datetime
    fired_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str
    href: str

    @classmethod
    def facts(cls, incident: AlertIncident, base: str) -> dict[str, Any]:
        workflow = incident.workflow
        copied = (
            "pk", "subject", "sentence", "opened_at", "fired_at", "resolved_at",
            "acknowledged_at", "note",
        )  # fmt: skip
        return {name: getattr(incident, name) for name in copied} | {
            "rule": incident.rule.name,
            "figures": plain(incident.figures),
            "account_id": workflow and workflow.account.account_id,
            "workflow": workflow and workflow.name,
            "acknowledged_by": str(incident.acknowledged_by or ""),
            "href": base + incident.get_absolute_url(),
        }


class Alerts(Paged):
    """The open ones first, then those that resolved, the latest first."""

    alerts: list[AlertTold]


class EventTold(Schema):
    number: int
    kind: str
    at: datetime
    sentence: str
    by: str

    @classmethod
    def of(cls, event: AlertEvent) -> Self:
        copied = ("number", "kind", "sentence")
        return cls(
            **{name: getattr(event, name) for name in copied},
            at=event.happened_at,
            by=str(event.by or ""),
        )


class OneAlert(AlertTold):
    as_of: datetime
    events: list[EventTold]


class Acknowledge(Schema):
    """That somebody sees to it."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=1000, description="What is known, or done about it.")


@router.get("/alerts", response=answers(Alerts))
def list_alerts(request: HttpRequest, *, page: PageNumber = 1) -> Alerts:
    """What was found."""
    found = seen.incidents(asking(request)).order_by(
        F("resolved_at").desc(nulls_first=True), "-opened_at", "-pk"
    )
    (shown, facts), base = Alerts.facts(found, page), base_of(request)
    return Alerts(alerts=[AlertTold(**AlertTold.facts(one, base)) for one in shown], **facts)


@router.get("/alerts/{pk}", response=answers(OneAlert, 404))
def get_alert(request: HttpRequest, pk: Id) -> OneAlert:
    """One alert, with what happened to it."""
    return _told(_existing(asking(request), pk), base_of(request))


@router.post(
    "/alerts/{pk}/acknowledge", response=answers(OneAlert, 404, 409), throttle=[Expensive()]
)
def acknowledge(request: HttpRequest, pk: Id, said: Acknowledge) -> OneAlert:
    """Somebody sees to it: their name and note stand on it, and only its end is still sent."""
    user = asking(request)
    may_handle_alerts(request, _existing(user, pk).workflow)
    form = AcknowledgeForm({"note": said.note})
    if not form.is_valid():
        raise Misfit.of(form)
    if not alerts.acknowledge(pk, user, form.cleaned_data["note"], now=timezone.now()):
        raise Refused("It resolved in the meantime; nothing was changed.")
    return _told(_existing(user, pk), base_of(request))


def _existing(user: User, pk: int) -> AlertIncident:
    found = seen.incidents(user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such alert.")
    return found


def _told(incident: AlertIncident, base: str) -> OneAlert:
    events = incident.events.select_related("by").order_by("-number")
    return OneAlert(
        **AlertTold.facts(incident, base),
        as_of=timezone.now(),
        events=[EventTold.of(event) for event in events],
    )
