"""What a person should know before asking: said on the form, above its fields."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.targets import Target
from dashboard.models.operation import Kind


@dataclass(frozen=True)
class Effect:
    """A sentence on what an operation will do; `kind` is the notice's: info or warning."""

    kind: str
    text: str


EFFECTS = {
    Kind.RESTART: [
        Effect(
            "warning",
            gettext_noop(
                "A restart begins the same instance anew, in place: Cloudflare erases its steps, "
                "their outputs and errors, and events not yet taken. Steps that run again repeat "
                "what they do outside."
            ),
        ),
        Effect(
            "info",
            gettext_noop(
                "It keeps its id and params, and may run a newer version. What is erased is kept "
                "here first, as a generation of its own."
            ),
        ),
    ],
    Kind.TERMINATE: [
        Effect(
            "warning",
            gettext_noop(
                "A terminated instance cannot be resumed, only restarted. Work in flight is cut "
                "off."
            ),
        )
    ],
    Kind.DELETE: [
        Effect(
            "warning",
            gettext_noop(
                "Cloudflare forgets it with its steps and outputs, and cannot bring it back. What "
                "was known of it stays here."
            ),
        )
    ],
    Kind.SEND_EVENT: [
        Effect(
            "info",
            gettext_noop(
                "An event that no step waits for yet is kept for later. It is sent once and never "
                "again by itself."
            ),
        )
    ],
}


def effects(kind: Kind, target: Target | None, *, is_batch: bool) -> list[Effect]:
    """What the operation will do, and what the target (None: not configured) cannot do of it."""
    found = [Effect(one.kind, _(one.text)) for one in EFFECTS.get(kind, [])]
    if kind is Kind.CREATE and is_batch:
        text = _("Nothing is created yet: you see first what was read, and then say yes.")
        found.append(Effect("info", text))
    if kind is Kind.CREATE and target:
        if is_batch and not target.has_batch:
            text = _("%(target)s creates them one after the other.") % {"target": target.title}
            found.append(Effect("info", text))
        if not target.has_instance_retention:
            text = _("%(target)s has no retention and no location per instance.")
            found.append(Effect("info", text % {"target": target.title}))
    return found
