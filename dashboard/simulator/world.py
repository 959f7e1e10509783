"""A Cloudflare account in memory: workflows whose instances advance with the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .arrivals import Arrivals
from .chance import salt_of, uuid_of
from .clock import DAY, MINUTE, SECOND, Clock
from .definition import Definition, Kind, Scenario
from .ids import Generated, Ids, Numbered, Scheduled
from .patterns import Era, Patterns
from .population import Backlog, Population
from .workflow import Workflow

RECENT = 60 * MINUTE  # the stretch before the start in which instances come at their usual pace


@dataclass(frozen=True)
class Truth:
    """One thing that is wrong in this world: see `definition.Wrong`. `since` in ms since 1970; the
    id of the version, "" where it is no matter of one."""

    kind: Kind
    workflow: str
    step: str
    error: str
    since: int | None
    version_id: str


class World:
    """Deterministic by scenario, seed, number of instances, and the instant the clock starts at."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int = 1,
        instances: int | None = None,
        clock: Clock | None = None,
        page_size: int = 20,
        cursor_seconds: int = 600,
        early: float = 0,
    ) -> None:
        """`page_size` is what a list gives when not told; cursors expire after `cursor_seconds`.

        The clock starts so many seconds `early`, before the moment that the scenario shows: what is
        wrong then may not have begun.
        """
        self.scenario, self.seed = scenario, seed
        self.clock = clock or Clock()
        self.start = self.clock.now() + round(early * SECOND)
        self.account_id = uuid_of("account", seed).replace("-", "")
        self.account_name = "Simulated account"
        self.page_size, self.cursor_seconds = page_size, cursor_seconds
        self.workflows: dict[str, Workflow] = {}
        self._made = 0
        self._share_out(scenario.instances if instances is None else instances)

    def _share_out(self, wanted: int) -> None:
        """Schedules give as many instances as they have ticks, the others share what is left."""
        sharing = [d for d in self.scenario.definitions if not d.cron]
        for definition in self.scenario.definitions:
            if definition.cron:
                wanted -= self._populate(definition, 0).count(self.start)
        whole, given, so_far = sum(d.share for d in sharing), 0, 0
        for definition in sharing:
            so_far += definition.share
            upto = max(0, wanted) * so_far // whole
            self._populate(definition, upto - given)
            given = upto

    @property
    def now(self) -> int:
        """The present instant in ms."""
        return self.clock.now()

    @property
    def truth(self) -> tuple[Truth, ...]:
        """All that is wrong, for tests only."""
        return tuple(
            Truth(
                wrong.kind,
                wrong.workflow,
                wrong.step,
                wrong.error,
                None if wrong.since is None else self.start - wrong.since,
                ""
                if wrong.version is None
                else self.workflows[wrong.workflow].version_at(self.start - wrong.version).id,
            )
            for wrong in self.scenario.wrong
        )

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def add_workflow(self, definition: Definition) -> Workflow:
        """A workflow without any instances."""
        workflow = Workflow(definition, None, seed=self.seed, start=self.now)
        self._made += 1  # a name that is used again gets another id
        workflow.id = uuid_of(self.seed, "workflow", definition.name, self._made)
        self.workflows[workflow.name] = workflow
        return workflow

    def status(self, workflow: str, instance_id: str) -> str | None:
        """The status of an instance now; None when it is not there."""
        home = self.workflows.get(workflow)
        instance = home.get(instance_id, self.now) if home else None
        return instance.status(self.now) if instance else None

    def add_instance(self, workflow: str, state: str, **facts: Any) -> str:
        """Place an instance in a state (see `placing`); returns its id."""
        from .placing import add_instance

        return add_instance(self, workflow, state, **facts)

    def _populate(self, definition: Definition, count: int) -> Arrivals:
        salt = salt_of(self.seed, definition.name)
        arrivals = self._arrivals(definition, count, salt)
        eras = tuple(Era(self.start - age, mix) for age, mix in definition.eras)
        since = definition.backlog_since
        population = Population(
            arrivals=arrivals,
            patterns=Patterns(definition.recipe, eras, salt),
            ids=_ids(definition, arrivals, salt),
            retention=definition.retention,
            backlog=Backlog() if since is None else Backlog(self.start - since),
        )
        self.workflows[definition.name] = Workflow(
            definition, population, seed=self.seed, start=self.start
        )
        return arrivals

    def _arrivals(self, definition: Definition, count: int, salt: int) -> Arrivals:
        """Spread `count` over the history; the last hour and the future at the usual pace."""
        history = self.scenario.history
        if definition.cron:
            return self._on_schedule(definition, salt)
        if definition.stopped is not None:
            turn = self.start - definition.stopped
            return Arrivals(
                origin=turn - history, turn=turn, past=count, every=DAY, salt=salt, last=count
            )
        every = max(1, min(definition.every, history // max(1, count)))
        recent = min(count, RECENT // every)
        return Arrivals(
            origin=self.start - history,
            turn=self.start - recent * every,
            past=count - recent,
            every=every,
            salt=salt,
        )

    def _on_schedule(self, definition: Definition, salt: int) -> Arrivals:
        """One instance at each tick of the schedule, a moment late."""
        first = self.start - self.scenario.history
        origin = first - first % definition.period + definition.period
        return Arrivals(
            origin=origin, turn=origin, past=0, every=definition.period, salt=salt, jitter=0.0005
        )


def _ids(definition: Definition, arrivals: Arrivals, salt: int) -> Ids:
    if definition.cron:
        return Scheduled(definition.cron, arrivals, definition.period)
    if definition.id_prefix:
        return Numbered(definition.id_prefix)
    return Generated(salt)
