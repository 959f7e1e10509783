"""What a frozen link shows: instances as they were, without what must not leave the house."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.cloudflare import values
from dashboard.evidence.finding import Evidence
from dashboard.insight.redaction import Redaction
from dashboard.models.kept_answer import KeptAnswer

#: Of so many instances one link can be made.
MOST = 20


@dataclass(frozen=True)
class FrozenInstance:
    """One instance of a frozen link. Every text of it has been through the redaction."""

    account: str
    workflow: str
    instance_id: str
    generation: int
    as_of: datetime
    kept: KeptAnswer


def redacted(found: Iterable[Evidence], rules: Redaction) -> list[dict[str, Any]]:
    """The instances as JSON; what the rules hide is not in it any more."""
    return [_redacted(evidence, rules) for evidence in found]


def _redacted(evidence: Evidence, rules: Redaction) -> dict[str, Any]:
    kept = evidence.kept
    steps = values.items(kept.answer.get("steps"))
    return {
        "account": rules.text(evidence.workflow.account.name),
        "workflow": rules.text(evidence.workflow.name),
        "instance_id": rules.text(evidence.instance_id),
        "generation": evidence.generation,
        "as_of": evidence.as_of.isoformat(),
        "kept": {
            "answer": rules.answer(kept.answer),
            "outputs_are_text": kept.outputs_are_text,
            "outputs": {
                key: rules.output(steps[int(key.partition(".")[0])], whole)
                for key, whole in kept.outputs.items()
            },
            "missing": {key: rules.text(why) for key, why in kept.missing.items()},
        },
    }


def shown(frozen: dict[str, Any]) -> FrozenInstance:
    """The JSON of one instance as an object."""
    return FrozenInstance(
        account=frozen["account"],
        workflow=frozen["workflow"],
        instance_id=frozen["instance_id"],
        generation=frozen["generation"],
        as_of=datetime.fromisoformat(frozen["as_of"]),
        kept=KeptAnswer.of_document(frozen["kept"]),
    )
