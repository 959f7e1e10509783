"""What the form of an event shows: who waits for it, and what was sent the last time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from dashboard.insight.awaited import Wait, waits
from dashboard.models import Instance, Item
from dashboard.models.operation import Kind, State
from dashboard.models.storing import storable
from dashboard.operations import form_query

#: Cloudflare took it; that is all that is known of an event that was not seen to be received.
TAKEN = (State.ACCEPTED, State.DONE)


@dataclass(frozen=True)
class Sending:
    """`event_type`: as it stands in the form."""

    instance: Instance
    event_type: str

    @cached_property
    def waits(self) -> tuple[Wait, ...]:
        detail = self.instance.last_detail
        return waits(detail) if detail else ()

    @property
    def is_known(self) -> bool:
        """Whether its steps were ever read."""
        return self.instance.last_detail is not None

    @property
    def awaited(self) -> list[str]:
        """The event types that it waits for, once each."""
        return list(dict.fromkeys(wait.event_type for wait in self.waits if wait.event_type))

    @property
    def is_awaited(self) -> bool:
        """Whether a step waits for this type; one that does not say for what may."""
        return any(wait.event_type in {self.event_type, ""} for wait in self.waits)

    @property
    def rows(self) -> list[tuple[Wait, str]]:
        """Each wait, with the address of the form that sends its event; "" for the one open."""
        return [
            (wait, "" if wait.event_type in {"", self.event_type} else self._href(wait.event_type))
            for wait in self.waits
        ]

    @property
    def address(self) -> str:
        """The form's own, but for the event type."""
        return f"{reverse('new-operation')}?{urlencode(self._query)}"

    @cached_property
    def latest(self) -> Item | None:
        """The last event of this type that Cloudflare took for an instance of this workflow."""
        if not self.event_type:
            return None
        sent = Item.objects.filter(
            workflow=self.instance.workflow,
            operation__kind=Kind.SEND_EVENT,
            operation__arguments__event_type=storable(self.event_type),
            state__in=TAKEN,
        )
        return sent.select_related("operation__requested_by").order_by("-pk").first()

    @property
    def latest_href(self) -> str:
        """The form with the payload of that event."""
        return self._href(self.event_type, begin="latest")

    def begin(self, query: QueryDict) -> str:
        """The payload that the form begins with: that of the last event, where it is asked for."""
        if query.get("begin") != "latest" or self.latest is None:
            return ""
        payload = self.latest.operation.arguments.get("payload")
        return json.dumps(payload, indent=2, ensure_ascii=False)

    def _href(self, event_type: str, **more: str) -> str:
        query = self._query | {"event_type": event_type} | more
        return f"{reverse('new-operation')}?{urlencode(query)}"

    @property
    def _query(self) -> dict[str, str]:
        return form_query(Kind.SEND_EVENT, self.instance)
