"""What an operation on many would do, before anybody says yes to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from django.utils.translation import gettext as _

from dashboard import connection
from dashboard.cloudflare import Lane
from dashboard.cloudflare.budget import part_of
from dashboard.cloudflare.targets import Target
from dashboard.models import Instance, User, Workflow
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.operation import Kind
from dashboard.operations import allowed
from dashboard.operations.choices import refusal_for_user, refusal_for_workflow
from dashboard.operations.watching import LISTED_AS

#: What can be asked of many; deleting only where the target offers it.
BULK_KINDS = (
    Kind.PAUSE,
    Kind.RESUME,
    Kind.SEND_EVENT,
    Kind.RESTART,
    Kind.TERMINATE,
    Kind.DELETE,
)
IS_EXPIRED = ExpressionWrapper(Q(expired_at__isnull=False), output_field=BooleanField())
#: What a web request can write down while its person waits.
MOST = 100_000
#: An instance is read before it is acted on; then it is seen in a list, of 100 rows at best.
CALLS = 2
#: So many instances are shown before anybody says yes.
FIRST = 10
SEEN_PER_CALL = 25


@dataclass(frozen=True)
class Share:
    """One workflow's part of it."""

    workflow: Workflow
    acted_on: int
    skipped: int

    @property
    def number(self) -> int:
        return self.acted_on + self.skipped


@dataclass(frozen=True)
class Plan:
    """How many would be acted on, and how many skipped for which reason.

    `seconds`: how long that takes under the present budget; None when that is not known, 0 where
    nothing is limited. `first`: the first instances, each with why it would be skipped.
    """

    kind: Kind
    shares: tuple[Share, ...]
    skipped: Mapping[str, int]
    calls: int
    seconds: float | None
    first: tuple[tuple[Instance, str], ...]

    @property
    def takes(self) -> timedelta | None:
        return None if self.seconds is None else timedelta(seconds=round(self.seconds))

    @property
    def acted_on(self) -> int:
        return sum(share.acted_on for share in self.shares)

    @property
    def number(self) -> int:
        return sum(share.number for share in self.shares)

    @property
    def why_not(self) -> str:
        """Why nobody can say yes to it; "" when somebody can."""
        if not self.number:
            return _("No instance is chosen. Go back and choose some.")
        if not self.acted_on:
            return _("Nothing can be done: each of these instances would be skipped.")
        if self.number > MOST:
            return _("One operation takes %(most)s instances at most; narrow the list.") % {
                "most": f"{MOST:,}"
            }
        return ""


def kinds_on_offer() -> list[Kind]:
    """What can be asked of many instances of the configured accounts."""
    targets = [account.target for account in connection.configured_accounts().values()]
    can_delete = any(deletes(target) for target in targets)
    return [kind for kind in BULK_KINDS if kind is not Kind.DELETE or can_delete]


def deletes(target: Target) -> bool:
    """Whether instances can be deleted there."""
    return target.documents_batch_delete or settings.CLOUDFLARE_UNDOCUMENTED_ROUTES


def plan(kind: Kind, instances: InstanceQuerySet, user: User) -> Plan:
    """What would become of these instances, as they were last seen, if this user asked for it. Asks
    Cloudflare nothing."""
    counted = (
        instances.order_by()
        .values_list("workflow", "status", IS_EXPIRED)
        .annotate(number=Count("pk"))
    )
    acted_on: Counter[int] = Counter()
    left_out: Counter[int] = Counter()
    skipped: Counter[str] = Counter()
    groups = list(counted)
    workflows = Workflow.objects.select_related("account").in_bulk({group[0] for group in groups})
    for pk, status, is_expired, number in groups:
        if why_not := refusal(kind, workflows[pk], user, status, is_expired=is_expired):
            left_out[pk] += number
            skipped[why_not] += number
        else:
            acted_on[pk] += number
    shares = [Share(row, acted_on[pk], left_out[pk]) for pk, row in workflows.items()]
    shares.sort(key=lambda share: (-share.number, share.workflow.name))
    by_account: Counter[str] = Counter()
    for share in shares:
        by_account[share.workflow.account.account_id] += calls(kind, share.acted_on)
    return Plan(
        kind,
        tuple(shares),
        dict(skipped.most_common()),
        sum(by_account.values()),
        seconds(by_account),
        tuple((row, _refusal_of(kind, row, user)) for row in _first(instances)),
    )


def refusal(kind: Kind, workflow: Workflow, user: User, status: str, *, is_expired: bool) -> str:
    """Why nothing would be sent to such an instance; "" when it would."""
    why_not = refusal_of_all(kind, workflow, user)
    return why_not or allowed.refusal(kind, status, is_expired=is_expired)


def refusal_of_all(kind: Kind, workflow: Workflow, user: User) -> str:
    """Why nothing would be sent to any instance of this workflow; "" when that depends on it."""
    if why_not := refusal_for_user(user, workflow) or refusal_for_workflow(workflow):
        return why_not
    target = connection.account_setting(workflow.account.account_id).target
    if kind is Kind.DELETE and not deletes(target):
        return _("%(target)s offers no documented way to delete an instance.") % {
            "target": target.title
        }
    return ""


def _first(instances: InstanceQuerySet) -> InstanceQuerySet:
    return instances.newest_first().with_workflow()[:FIRST]


def _refusal_of(kind: Kind, row: Instance, user: User) -> str:
    return refusal(kind, row.workflow, user, row.status, is_expired=row.expired_at is not None)


def calls(kind: Kind, number: int) -> int:
    """The requests that it takes: a read and the action for each, and looks until it is seen."""
    looks = -(-number // SEEN_PER_CALL) if kind in LISTED_AS else number
    return number * CALLS + looks


def seconds(calls_by_account: Mapping[str, int]) -> float | None:
    """How long so many requests take if nobody else asks for anything. Budgets are independent."""
    by_budget: dict[object, int] = defaultdict(int)
    longest = 0.0
    for account_id, number in calls_by_account.items():
        if number and (budget := connection.budget_of(connection.account_setting(account_id))):
            by_budget[budget] += number
            reading = budget.read()
            if reading is None:
                return None
            pace = part_of(reading.pace, Lane.BULK)
            late = max(0.0, by_budget[budget] - pace.burst) / pace.rate
            longest = max(longest, reading.closed_for + late)
    return longest
