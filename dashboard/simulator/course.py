"""The course of one instance through its plan: what happened, what goes on, what is to come.

Laid out to the end at once, so that the state at any instant can be read off; what people do to an
instance (pause, resume, terminate, an event) re-shapes the part that had not happened yet. The
rules follow "Change status of instance" and what Cloudflare's local engine was seen to do.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from .entries import STAGGER, Entry, Event, answer, place
from .plan import Do, Failure, Plan, Sleep, Step, Wait

GAP = 4  # milliseconds from the end of one stage to the start of the next
FOREVER = 1 << 60
LOGGED = frozenset({"step", "sleep", "waitForEvent"})
FINISHED = frozenset({"complete", "errored", "terminated"})


class Course:
    """All instants are milliseconds since 1970 (since the start, for a pattern)."""

    def __init__(self, plan: Plan, start: int, events: list[Event] | None = None) -> None:
        self.plan = plan
        self.start = start
        self.events = events if events is not None else []
        self.entries: list[Entry] = []
        self.end = start
        self.final = "complete"
        self.error: Failure | None = None
        self.output: Any = None
        self.rolling_from: int | None = None
        self.rollback: tuple[str, Failure | None] | None = None
        self.paused_at: int | None = None
        self.holds_until = 0
        self.lay(0, start)

    # -- laying out -----------------------------------------------------------------------------

    def lay(self, stage: int, at: int, member: int = 0) -> None:
        """Lay the plan from a stage (and its `member`) on from `at`, after what is there."""
        now = at
        self._forget_outcome()
        self._counts = Counter(_counted(e.spec) for e in self.entries if e.kind in LOGGED)
        for number in range(stage, len(self.plan.stages)):
            laid: list[Entry] = []
            for index, step in enumerate(self.plan.stages[number]):
                if number > stage or index >= member:
                    laid.append(self._place(step, now + STAGGER * len(laid), number, index))
            now = max((entry.end or now for entry in laid), default=now)
            failed = next((e for e in laid if e.error and not _is_caught(e.spec)), None)
            if failed and failed.error:
                self._fail(failed.error, now + GAP)
                return
            now += GAP
        self.end, self.final, self.output = now, "complete", self.plan.output

    def _forget_outcome(self) -> None:
        self.error = self.output = self.rolling_from = self.rollback = None

    def _place(self, step: Step, at: int, stage: int, member: int) -> Entry:
        self._counts[_counted(step)] += 1
        entry = place(step, at, f"{step.name}-{self._counts[_counted(step)]}", self.events)
        entry.stage, entry.member = stage, member
        self.entries.append(entry)
        return entry

    def _fail(self, error: Failure, at: int) -> None:
        self.final, self.error = "errored", _instance_error(error)
        self.end = self._roll_back(at, self.entries)

    def _roll_back(self, at: int, done: list[Entry]) -> int:
        """Append a rollback entry for every finished step that has one; returns the end."""
        undoable = [
            (entry, entry.spec)
            for entry in reversed(done)
            if entry.kind == "step" and entry.end is not None and not entry.error
            if isinstance(entry.spec, Do) and entry.spec.undo_ms is not None
        ]
        now, outcome = at, "complete"
        for entry, spec in undoable:
            failure = Failure("Error", f"could not undo {spec.name}") if spec.undo_fails else None
            undo = Do(
                spec.name,
                spec.undo_ms or 1,
                output={"undone": True},
                failures=(failure,) if failure else (),
                fails=failure is not None,
                retries=spec.retries,
                timeout=spec.timeout,
            )
            laid = place(undo, now, entry.name, [])
            laid.kind = "rollback"
            done.append(laid)
            now = (laid.end or now) + GAP
            if failure:
                outcome = "failed"
                self.rollback = (outcome, failure)
                break
        if undoable:
            self.rolling_from = at
            self.rollback = self.rollback or (outcome, None)
        return now

    # -- reading --------------------------------------------------------------------------------

    def status(self, at: int) -> str:
        """One of the nine statuses, without `queued`: whoever holds the course knows the queue."""
        if self.paused_at is not None:
            return "waitingForPause" if at < self.holds_until else "paused"
        if at >= self.end:
            return self.final
        if self.rolling_from is not None and at >= self.rolling_from:
            return "rollingBack"
        parked = "running"
        for entry in self.entries:
            if entry.is_executing(at):
                return "running"
            if entry.is_open(at):
                parked = entry.spec.shown_as if isinstance(entry.spec, Wait) else "waiting"
        return parked

    def seen(self, at: int) -> list[Entry]:
        """The log as it reads at `at`, oldest first."""
        begun = FOREVER if self.paused_at is None else self.paused_at
        views = (entry.seen(at, begun) for entry in self.entries)
        return [view for view in views if view is not None]

    def open_wait(self, at: int) -> Entry | None:
        """The wait for an event that is going on."""
        return next((e for e in self.entries if e.kind == "waitForEvent" and e.is_open(at)), None)

    def instants(self) -> set[int]:
        """Every instant at which the status may change."""
        found = {self.start, self.end}
        found.update(moment for entry in self.entries for moment in entry.instants())
        if self.rolling_from is not None:
            found.add(self.rolling_from)
        if self.paused_at is not None:
            found = {moment for moment in found if moment <= self.paused_at}
            found.update((self.paused_at, self.holds_until))
        return found

    def phases(self, since: int, until: int = FOREVER) -> list[tuple[int, str]]:
        """The statuses from `since` to before `until`, as (first instant, status)."""
        moments = {since, *(moment for moment in self.instants() if since < moment < until)}
        result: list[tuple[int, str]] = []
        for moment in sorted(moments):
            status = self.status(moment)
            if not result or result[-1][1] != status:
                result.append((moment, status))
        return result

    # -- acting ---------------------------------------------------------------------------------

    def apply(self, action: str, at: int, *, rollback: bool = False) -> None:
        """One of `pause`, `resume`, `terminate`; what makes no sense changes nothing."""
        if action == "pause":
            self.pause(at)
        elif action == "resume":
            self.resume(at)
        else:
            self.terminate(at, rollback=rollback)

    def pause(self, at: int) -> None:
        """Attempts in flight finish first; sleeps, waits and delays are interrupted."""
        if self.status(at) not in {"running", "waiting"}:
            return
        ends = [
            attempt.end
            for entry in self.entries
            for attempt in entry.attempts
            if attempt.start <= at and attempt.end is not None and attempt.end > at
        ]
        self.paused_at, self.holds_until = at, max(ends, default=at)

    def resume(self, at: int) -> None:
        """Go on with the time that was left; before the pause took effect, withdraw it."""
        if self.paused_at is None:
            return
        since, self.paused_at = self.paused_at, None
        if at < self.holds_until:
            return
        by = at - self.holds_until  # What was in flight had gone on until then.
        for entry in self.entries:
            entry.shift(since, by)
        if self.rolling_from is not None and self.rolling_from > since:
            self.rolling_from += by
        self.end += by
        self._answer_waits(at)

    def terminate(self, at: int, *, rollback: bool = False) -> None:
        """Cut what is in flight; with `rollback`, run the rollback steps before the end."""
        if self.status(at) in FINISHED:
            return
        self.entries = self.seen(at)
        self.paused_at = None
        self._forget_outcome()
        self.final, self.end = "terminated", at
        log = self.entries
        log.append(Entry("termination", "", at, at, source="api"))
        if rollback:
            self.end = self._roll_back(at, log)

    def send(self, event: Event) -> None:
        """Deliver an event to the wait for it, or keep it for a later one."""
        self.events.append(event)
        if self.paused_at is None:
            self._answer_waits(event.at)

    def _answer_waits(self, at: int) -> None:
        """Give a kept event to the wait that is open; lay the future anew."""
        wait = self.open_wait(at)
        if wait and isinstance(wait.spec, Wait):
            kind = wait.spec.event_type
            event = next((e for e in self.events if e.type == kind), None)
            if event:
                self.events.remove(event)
                answer(wait, event, at)
                self.entries = [e for e in self.entries if e.start <= at]
                self.lay(wait.stage + 1, at + GAP)
                return
        self._lay_waits_to_come(at)

    def _lay_waits_to_come(self, at: int) -> None:
        """Lay anew from the next wait that a kept event could answer, if there is one."""
        kept = {event.type for event in self.events}
        for entry in self.entries:
            if entry.start > at and isinstance(entry.spec, Wait) and entry.spec.event_type in kept:
                self.entries = [e for e in self.entries if e.start < entry.start]
                self.lay(entry.stage, entry.start, entry.member)
                return

    def restart_from(self, target: Entry, at: int, plan: Plan) -> bool:
        """Keep what began before `target` and ended; lay the rest of `plan` from that step on.

        False when the plan has no such step.
        """
        found = _position(plan, target)
        if found is None:
            return False
        self.entries = [e for e in self.seen(at) if e.start < target.start and e.end is not None]
        self.plan, self.paused_at = plan, None
        self.lay(found[0], at, found[1])
        return True


def _counted(step: Step | None) -> tuple[object, ...]:
    """What the number behind a step's name counts: kind and name, for sleeps the duration too."""
    if isinstance(step, Sleep):
        return (Sleep, step.name, step.ms)
    return (type(step), step.name if step else None)


def _is_caught(step: Step | None) -> bool:
    return isinstance(step, Do | Wait) and step.caught


def _instance_error(error: Failure) -> Failure:
    """As recorded: the instance's error of a timeout has its real name inside the message."""
    if error.name == "WorkflowTimeoutError":
        return Failure("Error", f"WorkflowTimeoutError: {error.message}")
    return error


def _position(plan: Plan, target: Entry) -> tuple[int, int] | None:
    """Stage and member of the step that `target` was, counted as the log counts."""
    if target.spec is None:
        return None
    seen = 0
    wanted = int(target.name.rpartition("-")[2])
    for stage, members in enumerate(plan.stages):
        for member, step in enumerate(members):
            if type(step) is type(target.spec) and step.name == target.spec.name:
                seen += 1
                if seen == wanted:
                    return stage, member
    return None
