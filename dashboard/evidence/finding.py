"""An instance as it was at one moment, found by what people have at hand: a link or an id."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from dashboard.models import Access, Instance, InstanceDetail, Snapshot, Workflow
from dashboard.models.kept_answer import KeptAnswer
from dashboard.models.storing import storable


class NoEvidence(LookupError):
    """Nothing is known under this link or id; `str()` is a sentence that says so."""


@dataclass(frozen=True)
class Evidence:
    """`as_of`: when Cloudflare told it. `snapshot` None: the instance as it was last read."""

    workflow: Workflow
    instance_id: str
    generation: int
    kept: KeptAnswer
    as_of: datetime
    url: str
    snapshot: Snapshot | None = None


def of_snapshot(snapshot: Snapshot) -> Evidence:
    return Evidence(
        workflow=snapshot.workflow,
        instance_id=snapshot.instance_id,
        generation=snapshot.generation,
        kept=snapshot.kept,
        as_of=snapshot.read_at,
        url=snapshot.get_absolute_url(),
        snapshot=snapshot,
    )


def of_instance(row: Instance) -> Evidence:
    """The instance as it was last read; raises NoEvidence when it never was."""
    known = InstanceDetail.objects.filter(instance=row).first()
    if known is None:
        raise NoEvidence(
            _("The steps of “%(instance)s” were never read; open its page first.")
            % {"instance": row.instance_id}
        )
    return Evidence(
        workflow=row.workflow,
        instance_id=row.instance_id,
        generation=known.generation,
        kept=KeptAnswer(known.result, known.outputs_are_text),
        as_of=known.read_at,
        url=row.get_absolute_url(),
    )


def find(text: str, access: Access, *, near: Workflow | None = None) -> Evidence:
    """What a link to a snapshot or an instance, or the id of either, leads to, of what the reader
    may see. An id that several workflows have is the one of `near`. Raises NoEvidence."""
    text = storable(text.strip())[:2000]
    path = unquote(urlsplit(text).path) if "/" in text else ""
    try:
        match = resolve(path) if path.startswith("/") else None
    except Resolver404:
        match = None
    if match and match.url_name == "snapshot":
        return of_snapshot(_snapshot(match.kwargs["pk"], text, access))
    if match and match.url_name == "instance":
        address = match.kwargs
        workflows = Workflow.objects.addressed(address["account_id"], address["workflow_name"])
        return _of_id(address["instance_id"], list(workflows), access)
    try:
        return of_snapshot(_snapshot(uuid.UUID(text), text, access))
    except (ValueError, NoEvidence):
        return _of_id(text, [near] if near else [], access)


def _snapshot(pk: uuid.UUID, text: str, access: Access) -> Snapshot:
    seen = Snapshot.objects.filter(access.seen()).select_related("workflow__account")
    found = seen.filter(pk=pk).first()
    if found is None:
        raise NoEvidence(
            _("There is no snapshot “%(id)s”; unpinned ones age out.") % {"id": text[:200]}
        )
    return found


def _of_id(instance_id: str, near: list[Workflow], access: Access) -> Evidence:
    seen = Instance.objects.filter(access.seen())
    rows = seen.with_workflow().filter(instance_id=instance_id)
    nearest = [row for workflow in near for row in rows.filter(workflow=workflow)]
    found = nearest[:1] or list(rows.newest_first()[:2])
    if not found:
        raise NoEvidence(
            _("There is no instance “%(id)s” in the local copy.") % {"id": instance_id[:200]}
        )
    if len(found) > 1:
        raise NoEvidence(
            _("Several workflows have an instance “%(id)s”; give its link instead.")
            % {"id": instance_id[:200]}
        )
    return of_instance(found[0])
