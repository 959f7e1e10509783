"""The loop that passes on what children print, restarts the dead, and stops all in order.

One thread: it waits for output and signals at once, so nothing here needs a lock.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from types import FrameType

from dashboard.supervisor.child import Child, Program

STOP_SECONDS = 15.0
#: A child that lived this long starts again at once; one that keeps dying waits longer each time.
STEADY_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: `make` and a terminal may both pass on one Ctrl-C; a second one is a wish only after this pause.
SAME_WISH_SECONDS = 0.5

Say = Callable[[str, str], None]


def describe_end(code: int) -> str:
    """How a process ended, as words: its exit code, or the signal that ended it."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


class Supervisor:
    """Keeps programs running until it is told to stop. `say(name, line)` prints."""

    def __init__(self, say: Say, stop_seconds: float = STOP_SECONDS) -> None:
        self._print_line = say
        self._stop_seconds = stop_seconds
        self._children: list[Child] = []
        self._pauses: dict[str, float] = {}
        self._due: list[tuple[float, Program]] = []
        self._selector = selectors.DefaultSelector()
        self._wake, self._wake_writer = socket.socketpair()
        self._wake.setblocking(False)
        self._wake_writer.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._asked_to_stop_at: float | None = None
        self._asked_to_kill = False

    def start(self, program: Program) -> None:
        """Start the program now, and again whenever it ends."""
        child = Child(program)
        self._children.append(child)
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def is_running(self, name: str) -> bool:
        """Whether the program of this name is alive now."""
        return any(child.program.name == name and not child.has_ended() for child in self._children)

    def pass_on_output(self) -> None:
        """Print what the programs have said so far."""
        self._wait(time.monotonic())

    def run(self) -> int:
        """Keep all running until a signal asks to stop. 0 if all stopped by themselves, else 1."""
        with self._signals():
            while self._asked_to_stop_at is None:
                self._wait(self._next_due())
                self._reap(restart=True)
                self._start_due()
            return self.stop()

    def stop(self) -> int:
        """Stop all in their order; whoever is still there at the deadline is killed."""
        deadline = time.monotonic() + self._stop_seconds
        killed = False
        self._due.clear()
        for stage in sorted({child.program.stop_stage for child in self._children}):
            stopping = [child for child in self._children if child.program.stop_stage == stage]
            for child in stopping:
                child.signal(signal.SIGTERM)
            while self._still_running(stage) and time.monotonic() < deadline:
                if self._asked_to_kill:
                    break
                self._wait(deadline)
                self._reap(restart=False)
            killed |= self._kill_rest(stage)
        self._selector.close()
        self._wake.close()
        self._wake_writer.close()
        return 1 if killed else 0

    def kill(self) -> None:
        """End everything now. For a start that did not come about."""
        for child in self._children:
            child.kill()
            _, lines = child.reap()
            self._print(child, lines)
        self._children.clear()

    def _still_running(self, stage: int) -> bool:
        return any(child.program.stop_stage == stage for child in self._children)

    def _kill_rest(self, stage: int) -> bool:
        rest = [child for child in self._children if child.program.stop_stage == stage]
        for child in rest:
            if not self._asked_to_kill:
                self._say("up", f"{child.program.name} did not stop in time and is killed.")
            child.kill()
            child.process.wait()
        self._reap(restart=False)
        return bool(rest)

    def _wait(self, until: float | None) -> None:
        """Sleep until there is output, a signal, or `until`; pass the output on."""
        pause = None if until is None else max(0.0, until - time.monotonic())
        for key, _ in self._selector.select(pause):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(4096)
            else:
                self._pass_on(key.data)

    def _pass_on(self, child: Child) -> None:
        self._print(child, child.read_lines())
        if child.is_silent:
            self._selector.unregister(child.output)

    def _reap(self, *, restart: bool) -> None:
        for child in [child for child in self._children if child.has_ended()]:
            if not child.is_silent:
                self._selector.unregister(child.output)
            self._children.remove(child)
            code, lines = child.reap()
            self._print(child, lines)
            if restart:
                self._plan_restart(child, code)

    def _plan_restart(self, child: Child, code: int) -> None:
        name, now = child.program.name, time.monotonic()
        if now - child.started_at >= STEADY_SECONDS:
            self._pauses.pop(name, None)
        pause = self._pauses.get(name, FIRST_PAUSE)
        self._pauses[name] = min(pause * 2, LONGEST_PAUSE)
        self._due.append((now + pause, child.program))
        self._say("up", f"{name} {describe_end(code)}; it starts again in {pause:g} s.")

    def _next_due(self) -> float | None:
        return min((at for at, _ in self._due), default=None)

    def _start_due(self) -> None:
        now = time.monotonic()
        ready = [program for at, program in self._due if at <= now]
        self._due = [(at, program) for at, program in self._due if at > now]
        for program in ready:
            self.start(program)

    def _print(self, child: Child, lines: list[str]) -> None:
        for line in lines:
            self._say(child.program.name, line)

    def _say(self, name: str, line: str) -> None:
        """Print; when nobody reads any more (a closed terminal or pipe), that is a wish to stop."""
        try:
            self._print_line(name, line)
        except OSError:
            self._asked_to_stop_at = self._asked_to_stop_at or time.monotonic()
            # What is still buffered would fail once more when Python ends, and spoil the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals wake the loop; those that ask to stop are remembered for it."""
        before = {number: signal.signal(number, self._on_stop) for number in self._stop_signals()}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        wakeup = signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        # A child that ended before the handler stood would never be noticed without a first look.
        os.kill(os.getpid(), signal.SIGCHLD)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop_signals(self) -> list[signal.Signals]:
        """SIGHUP stays ignored where `nohup` said so."""
        ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        return [signal.SIGINT, signal.SIGTERM, *([] if ignored else [signal.SIGHUP])]

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked_to_stop_at is None:
            self._asked_to_stop_at = now
        elif number == signal.SIGINT and now - self._asked_to_stop_at > SAME_WISH_SECONDS:
            self._asked_to_kill = True
