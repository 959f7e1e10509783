"""Pausing, resuming and stopping an operation on many: by a person, at any time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop, override

from dashboard.models import Operation, User
from dashboard.models.operation import Stage, State, by_token

#: What a person may do with it in each stage, with the word for it, not yet translated.
STEERING: dict[Stage, dict[Stage, str]] = {
    Stage.READING: {Stage.STOPPED: gettext_noop("Discard")},
    Stage.PROPOSED: {
        Stage.RUNNING: gettext_noop("Create them"),
        Stage.STOPPED: gettext_noop("Discard"),
    },
    Stage.RUNNING: {Stage.PAUSED: gettext_noop("Pause"), Stage.STOPPED: gettext_noop("Stop")},
    Stage.PAUSED: {Stage.RUNNING: gettext_noop("Resume"), Stage.STOPPED: gettext_noop("Stop")},
    Stage.HALTED: {
        Stage.RUNNING: gettext_noop("Go on all the same"),
        Stage.STOPPED: gettext_noop("Stop"),
    },
}


def steer(operation: Operation, stage: Stage, user: User, *, now: datetime) -> bool:
    """Brings it into the stage; False when it cannot be reached from where it is by now.

    After a pause, or once stopped, at most the one request that was under way still leaves.
    """
    if stage is Stage.RUNNING:
        return operation.move(stage, now=now, by=user, next_run_at=now, **_judged_anew(operation))
    if stage is Stage.PAUSED:
        return operation.move(stage, now=now, by=user)
    if stage is Stage.STOPPED:
        # Rows are written in one language, whoever asks.
        with override(settings.LANGUAGE_CODE):
            who = by_token(user, user.token_name)
        words = f"Nothing was sent. {who} stopped the operation."
        return stop(operation, now=now, by=user, of_each=words)
    return False


def _judged_anew(operation: Operation) -> dict[str, Any]:
    """Who goes on after failures has seen them; only what comes after is judged."""
    if operation.stage != Stage.HALTED:
        return {}
    return {"judged_from": operation.items.pending().values_list("pk", flat=True).first()}


def stop(
    operation: Operation, *, now: datetime, of_each: str, by: User | None = None, note: str = ""
) -> bool:
    """Sends nothing more: each that was not sent is skipped with the words `of_each`. False when
    it is over already."""
    with transaction.atomic():
        if not operation.move(Stage.STOPPED, now=now, by=by, note=note):
            return False
        operation.items.pending().order_by().update(
            state=State.SKIPPED, note=of_each, settled_at=now
        )
    return True
