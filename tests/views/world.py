"""One of everything that a page can be about, all of it of the workflow `ledger`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from dashboard import evidence
from dashboard.insight.redaction import Redaction
from dashboard.models import (
    AlertChannel,
    AlertIncident,
    AlertRule,
    ApiToken,
    Decision,
    ErrorGroup,
    FrozenLink,
    Grant,
    Instance,
    InstanceDetail,
    Item,
    Operation,
    SavedView,
    Silence,
    Snapshot,
    User,
    Why,
)
from dashboard.models.operation import Stage, State
from tests.rows import THEN, instance, minutes, version, workflow

#: Stands in each text that belongs to `ledger`, and in no other.
SECRET = "entry-4711"


@dataclass
class World:
    """The rows of it that addresses name."""

    row: Instance
    group: ErrorGroup
    rule: AlertRule
    channel: AlertChannel
    incident: AlertIncident
    silence: Silence
    operation: Operation
    batch: Operation
    snapshot: Snapshot
    link: FrozenLink
    view: SavedView
    person: User
    grant: Grant
    token: ApiToken

    def address(self, route: str) -> str:
        """The address with what it names in braces filled in."""
        return route.format(
            of="/accounts/acc1/workflows/ledger",
            id=SECRET,
            query=f"account_id=acc1&workflow_name=ledger&instance_id={SECRET}",
            key=uuid.uuid4(),
            **{
                name: one.key if isinstance(one, FrozenLink) else one.pk
                for name, one in vars(self).items()
            },
        )


def world() -> World:
    """Writes it down; `payments` has one instance, and nothing else."""
    owner = User.objects.create_user("owner", password="a long secret", role="admin")
    ledger = workflow("ledger")
    instance("payment-1", of=workflow("payments"), created_on=THEN + minutes(1))
    version("version-1", of=ledger)
    group = ErrorGroup.objects.create(
        workflow=ledger, fingerprint="f", step_name="charge", error_name="CardError",
        message=f"declined {SECRET}", first_seen_on=THEN, last_seen_on=THEN, count=1,
    )  # fmt: skip
    row = instance(
        SECRET, "errored", of=ledger, error_name="CardError", read_at=THEN, error_group=group,
        ended_on=THEN, error_message=f"declined {SECRET}",
    )  # fmt: skip
    detail = InstanceDetail.objects.create(
        instance=row,
        read_at=THEN,
        outputs_are_text=False,
        body=InstanceDetail.pack({"status": "errored", "steps": [], "params": {"id": SECRET}}),
    )
    snapshot = Snapshot.objects.keep(detail, Why.PINNED, now=THEN)
    Decision.objects.create(
        group=group, kind="note", reason=f"about {SECRET}", decided_by=owner, decided_at=THEN
    )
    rule = AlertRule.objects.create(
        name=f"rule of {SECRET}", kind="failure-rate", workflow=ledger, changed_by=owner,
        changed_at=THEN,
    )  # fmt: skip
    return World(
        row=row,
        group=group,
        rule=rule,
        channel=_channel(owner),
        incident=AlertIncident.objects.create(
            rule=rule, key="k", workflow=ledger, subject=SECRET, sentence=f"{SECRET} fails",
            began_at=THEN, opened_at=THEN, fired_at=THEN,
        ),
        silence=Silence.objects.create(
            workflow=ledger, reason=f"{SECRET} is mended", starts_at=THEN,
            ends_at=THEN + minutes(10**6), made_by=owner, made_at=THEN,
        ),
        operation=_operation(row, owner),
        batch=_operation(row, owner, is_bulk=True, kind="create", stage=Stage.RUNNING),
        snapshot=snapshot,
        link=FrozenLink.objects.freeze(
            {"instances": evidence.redacted([evidence.of_snapshot(snapshot)], Redaction())},
            title=f"link of {SECRET}",
            frozen_at=THEN,
            expires_at=THEN + minutes(10**6), made_by=owner,
        ),
        view=SavedView.objects.create(owner=owner, name="all", is_shared=True, saved_at=THEN),
        person=owner,
        grant=Grant.objects.create(
            group_name="on-call", role="viewer", pattern="refunds-*", granted_at=THEN
        ),
        token=ApiToken.objects.make(
            user=owner, name="deploy-bot", created_at=THEN, expires_at=THEN + minutes(10**6)
        )[0],
    )  # fmt: skip


def _channel(owner: User) -> AlertChannel:
    channel = AlertChannel(name="the pager", changed_by=owner, changed_at=THEN)
    channel.address, channel.service = "json://127.0.0.1:9", "JSON"
    channel.save()
    return channel


def _operation(row: Instance, owner: User, **facts: object) -> Operation:
    operation = Operation.objects.create(
        **{
            "key": uuid.uuid4(), "kind": "restart", "workflow": row.workflow,
            "reason": f"because of {SECRET}", "requested_by": owner, "requested_at": THEN,
        }
        | facts
    )  # fmt: skip
    operation.changes.create(stage=Stage.RUNNING, changed_by=owner, changed_at=THEN)
    Item.objects.create(
        operation=operation, workflow=row.workflow, instance_id=SECRET, state=State.FAILED,
        note="it failed",
    )  # fmt: skip
    return operation


#: Who may ask, by what they are called in the tables: the role of their own, and what is granted.
PEOPLE = {
    "nobody": None,
    "none": ("none", ""),
    "viewer": ("viewer", ""),
    "operator": ("operator", ""),
    "admin": ("admin", ""),
    "here": ("none", "ledger"),
    "elsewhere": ("none", "payments"),
}


def person(name: str) -> User | None:
    """Makes one of PEOPLE; those whose role is `none` operate one workflow."""
    told = PEOPLE[name]
    if told is None:
        return None
    user = User.objects.create_user(f"{name}-person", password="a long secret", role=told[0])
    if told[1]:
        Grant.objects.create(user=user, role="operator", pattern=told[1], granted_at=THEN)
    return user
