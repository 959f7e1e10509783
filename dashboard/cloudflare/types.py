"""What Cloudflare tells us, in one normal form for old and new shapes of its answers.

Every field but an id may be missing or null in some answer, and every enumeration is open: a value
that is not listed here becomes a member of its own (`is_known` is False) and is kept and shown.
Fields we do not know are kept too: each object carries the answer it was read from as `raw`.

Follows <https://developers.cloudflare.com/api/resources/workflows/>.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

#: A JSON object as Cloudflare sent it.
Json = dict[str, Any]


class OpenEnum(enum.StrEnum):
    """An enumeration that keeps values it does not know: the API adds some without notice."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        unknown = str.__new__(cls, value)
        unknown._name_ = "UNKNOWN_VALUE"
        unknown._value_ = str(value)
        return unknown

    @property
    def is_known(self) -> bool:
        return self._name_ in type(self).__members__


class Status(OpenEnum):
    """What Cloudflare says an instance is doing. Stored and sent verbatim."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    WAITING_FOR_PAUSE = "waitingForPause"
    PAUSED = "paused"
    ROLLING_BACK = "rollingBack"
    COMPLETE = "complete"
    ERRORED = "errored"
    TERMINATED = "terminated"
    #: Our word for a row without a status (a ghost row of the local engine, a cut answer).
    UNKNOWN = "unknown"

    @property
    def is_finished(self) -> bool:
        """True when the instance will not go on by itself. An unknown status may still go on."""
        return self in FINISHED


FINISHED = frozenset({Status.COMPLETE, Status.ERRORED, Status.TERMINATED})
UNFINISHED = frozenset(Status) - FINISHED - {Status.UNKNOWN}


class Action(enum.StrEnum):
    """What a person can ask an instance to do. The API's PATCH body calls this `status`."""

    PAUSE = "pause"
    RESUME = "resume"
    TERMINATE = "terminate"
    RESTART = "restart"


class StepType(OpenEnum):
    """One unit inside an instance."""

    STEP = "step"
    SLEEP = "sleep"
    WAIT_FOR_EVENT = "waitForEvent"
    TERMINATION = "termination"
    ROLLBACK = "rollback"


class Trigger(OpenEnum):
    """Why an instance began."""

    API = "api"
    BINDING = "binding"
    EVENT = "event"
    CRON = "cron"
    UNKNOWN = "unknown"


class RestartType(enum.StrEnum):
    """How the restart body names a step's type: `do` where the log says `step`."""

    DO = "do"
    SLEEP = "sleep"
    WAIT_FOR_EVENT = "waitForEvent"


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What an instance, step or attempt failed with."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """One cron schedule of a workflow."""

    cron: str
    next_instance: datetime | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """A named definition in the account. `id` is "" where the target gives none.

    `counts` maps status to number of instances, None when the answer has no counts at all.
    """

    name: str
    id: str = ""
    class_name: str = ""
    script_name: str = ""
    created_on: datetime | None = None
    modified_on: datetime | None = None
    triggered_on: datetime | None = None
    counts: dict[str, int] | None = None
    schedules: tuple[Schedule, ...] = ()
    is_script_deleted: bool = False
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Version:
    """One deployed state of a workflow. Retentions as Cloudflare sends them (ms or a text)."""

    id: str
    workflow_id: str = ""
    class_name: str = ""
    language: str = ""
    has_dag: bool = False
    created_on: datetime | None = None
    modified_on: datetime | None = None
    concurrency_limit: int | None = None
    step_limit: int | None = None
    success_retention: str | int | None = None
    error_retention: str | int | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Graph:
    """A version's diagram; `graph` is None when the version has none (`has_dag` is False)."""

    version_id: str
    graph: Json | None


@dataclass(slots=True)
class Instance:
    """One row of a list: an execution of a workflow, without its steps.

    Not frozen, as the others are: `parsing` fills in a field when it is first asked for. Where
    `raw` is not empty, it says the same as the fields: a changed copy has none.
    """

    id: str
    status: Status
    created_on: datetime | None = None
    modified_on: datetime | None = None
    started_on: datetime | None = None
    ended_on: datetime | None = None
    version_id: str = ""
    workflow_id: str = ""
    trigger: Trigger = Trigger.UNKNOWN
    raw: Json = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class InstancePage:
    """One page of a list, newest first. `cursor` is None on the last page.

    `is_sorted`: Cloudflare itself sent it newest first, with the time of each row; else it promises
    nothing about other pages. `total_count` is Cloudflare's own, deprecated and sometimes wrong:
    never page by it.
    """

    instances: tuple[Instance, ...]
    cursor: str | None = None
    total_count: int | None = None
    is_sorted: bool = False


@dataclass(slots=True)
class Attempt:
    """One try of a step. `success` is None while it runs.

    Not frozen: that would triple the time to make one, and a log has tens of thousands.
    """

    start: datetime | None = None
    end: datetime | None = None
    success: bool | None = None
    error: ErrorDetail | None = None


@dataclass(frozen=True, slots=True)
class StepConfig:
    """How a step is retried and timed out; durations as Cloudflare sends them.

    `delay` is milliseconds, a text such as "10 seconds", "[dynamic]" when the workflow computes
    it, or None when the answer does not say.
    """

    limit: int | None = None
    delay: str | float | None = None
    backoff: str = ""
    timeout: str | float | None = None
    is_sensitive: bool = False


def base_name(name: str) -> str:
    """The name of a step as the workflow's author wrote it: without the last `-N`, which Cloudflare
    adds in logs and events."""
    head, dash, count = name.rpartition("-")
    return head if dash and count.isdecimal() else name


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an instance's log, of any type; what its type has no word for stays empty.

    `index` is its place in the log, oldest first: (type, name) is not unique, this is.
    `name` carries Cloudflare's counter ("import rows-2"). `success` is True when it is done,
    False when it failed for good, None while it runs, sleeps, waits or retries. For a sleep and a
    wait that is derived from `finished` and `error`; `end` of an unfinished one is the planned end
    where Cloudflare sends it. `output` is the decoded value; `has_output` tells null from nothing.
    """

    index: int
    type: StepType
    name: str = ""
    start: datetime | None = None
    end: datetime | None = None
    success: bool | None = None
    error: ErrorDetail | None = None
    output: Any = None
    has_output: bool = False
    is_output_truncated: bool = False
    attempts: tuple[Attempt, ...] = ()
    config: StepConfig | None = None
    event_type: str = ""
    trigger: str = ""
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @property
    def base_name(self) -> str:
        """The name the workflow's author wrote: without the last `-N`, which Cloudflare adds."""
        return base_name(self.name)

    @property
    def count(self) -> int | None:
        """The N that Cloudflare added to the name; None when there is none."""
        _, dash, count = self.name.rpartition("-")
        return int(count) if dash and count.isdecimal() else None

    @property
    def is_unfinished(self) -> bool:
        """True while the step is executing, retrying, sleeping or waiting."""
        return self.success is None and self.type is not StepType.TERMINATION


@dataclass(frozen=True, slots=True)
class Rollback:
    """How the rollback of an instance ended; `outcome` is "complete" or "failed"."""

    outcome: str
    error: ErrorDetail | None = None


@dataclass(frozen=True, slots=True)
class InstanceDetail:
    """One instance with its steps, oldest first. The answer holds no id: the caller knows it.

    `read_on` is Cloudflare's clock when it answered (its Date header), None when it did not say;
    it tells whether a list row is newer than this read. `outputs_are_text`: how `raw` holds
    outputs, for whoever reads it again later. `warning` is set when Cloudflare said it failed and
    yet sent a complete result.
    """

    status: Status
    steps: tuple[Step, ...] = ()
    step_count: int | None = None
    version_id: str = ""
    queued: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    success: bool | None = None
    error: ErrorDetail | None = None
    params: Any = None
    output: Any = None
    is_params_truncated: bool = False
    is_output_truncated: bool = False
    trigger: Trigger = Trigger.UNKNOWN
    rollback: Rollback | None = None
    schedule: Json | None = None
    read_on: datetime | None = None
    warning: str = ""
    outputs_are_text: bool = True
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NewInstance:
    """An instance to create. `id` "" lets Cloudflare choose. `params` is any JSON value.

    `success_retention` / `error_retention`: milliseconds or a text such as "3 days".
    """

    id: str = ""
    params: Any = None
    success_retention: str | int | None = None
    error_retention: str | int | None = None
    location_hint: str = ""


@dataclass(frozen=True, slots=True)
class CreatedInstance:
    """What Cloudflare says of an instance it has just made; the local engine says only the id."""

    id: str
    status: Status = Status.UNKNOWN
    version_id: str = ""
    workflow_id: str = ""
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """Cloudflare's answer to an action: a moment's status, so read the instance again."""

    status: Status
    timestamp: datetime | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RestartFrom:
    """Where to restart: the author's step name, Cloudflare's count of it, its type."""

    name: str
    count: int | None = None
    type: RestartType | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of the ids asked to be deleted: `errors` maps id to Cloudflare's words."""

    deleted: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the `Ratelimit` header said last: `remaining` requests, new ones in seconds.

    `quota` requests in `window_seconds` are what the tightest `Ratelimit-Policy` allows.
    """

    remaining: int
    reset_seconds: float
    quota: int | None = None
    window_seconds: float | None = None
