"""The local copy, and what people did. The only writer of rows.

The database never leads: a row of the copy changes only because Cloudflare said so.
"""

from dashboard.models.access import Access, access_of
from dashboard.models.account import Account
from dashboard.models.alert_channel import AlertChannel
from dashboard.models.alert_delivery import Delivery, DeliveryAttempt, DeliveryState
from dashboard.models.alert_incident import AlertEvent, AlertIncident
from dashboard.models.alert_reading import AlertReading
from dashboard.models.alert_rule import AlertRule
from dashboard.models.alert_silence import Silence
from dashboard.models.api_token import ApiToken, Scope
from dashboard.models.error_group import Decision, ErrorGroup, ErrorGroupHour, UngroupedPast
from dashboard.models.frozen import FrozenLink
from dashboard.models.grant import AccessChange, Grant
from dashboard.models.history import CountsThen, UncountedPast, WorkflowPeriod
from dashboard.models.instance import Change, Instance, InstanceDetail
from dashboard.models.item import Item, StageChange
from dashboard.models.look import Look
from dashboard.models.mark import Mark
from dashboard.models.normal import StepNormal
from dashboard.models.operation import Operation
from dashboard.models.progress import Gap, Place, Progress
from dashboard.models.saved_view import SavedView
from dashboard.models.search_text import SearchText
from dashboard.models.shared_cache import SharedCache
from dashboard.models.snapshot import Snapshot, Why
from dashboard.models.step_history import FailedAttempt, StepFeed, StepHour, UnreadStretch
from dashboard.models.tally import Tally
from dashboard.models.user import Role, User
from dashboard.models.workflow import BriefWorkflow, Version, Workflow

__all__ = [
    "Access",
    "AccessChange",
    "Account",
    "AlertChannel",
    "AlertEvent",
    "AlertIncident",
    "AlertReading",
    "AlertRule",
    "ApiToken",
    "BriefWorkflow",
    "Change",
    "CountsThen",
    "Decision",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryState",
    "ErrorGroup",
    "ErrorGroupHour",
    "FailedAttempt",
    "FrozenLink",
    "Gap",
    "Grant",
    "Instance",
    "InstanceDetail",
    "Item",
    "Look",
    "Mark",
    "Operation",
    "Place",
    "Progress",
    "Role",
    "SavedView",
    "Scope",
    "SearchText",
    "SharedCache",
    "Silence",
    "Snapshot",
    "StageChange",
    "StepFeed",
    "StepHour",
    "StepNormal",
    "Tally",
    "UncountedPast",
    "UngroupedPast",
    "UnreadStretch",
    "User",
    "Version",
    "Why",
    "Workflow",
    "WorkflowPeriod",
    "access_of",
]
