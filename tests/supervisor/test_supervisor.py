"""The supervisor's promises, on toy programs and with real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from dashboard.supervisor.child import prepare_child
from dashboard.supervisor.supervisor import describe_end

SLEEP = "import time; print('here'); time.sleep(60)"
POLITE = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye')));"
    "print('here'); time.sleep(60)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('no'));"
    "print('here'); [time.sleep(1) for _ in range(60)]"
)
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a supervisor over toy programs."""
    started: list[subprocess.Popen[str]] = []

    def start(*specs: str, stop_seconds: float = 10) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.supervisor.toys", str(stop_seconds), *specs]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=prepare_child(os.getpid()),  # noqa: PLW1509  (called from one thread)
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to and with the first that holds this text."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if text in line:
            return lines
    raise AssertionError(f"{text!r} was not printed: {lines}")


def rest(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.read().split("\n")


def test_a_program_that_ends_starts_again_after_a_growing_pause(start: Start) -> None:
    process = start("short:0:print('here'); raise SystemExit(3)")
    read_until(process, "short ended with exit code 3; it starts again in 0.5 s.")
    read_until(process, "short: here")
    read_until(process, "short ended with exit code 3; it starts again in 1 s.")


def test_a_program_that_is_killed_starts_again(start: Start) -> None:
    process = start("one:0:import os; print(os.getpid()); import time; time.sleep(60)")
    pid = int(read_until(process, "one: ")[-1].removeprefix("one: "))
    os.kill(pid, signal.SIGKILL)
    read_until(process, "one was ended by SIGKILL; it starts again in 0.5 s.")
    assert int(read_until(process, "one: ")[-1].removeprefix("one: ")) != pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_programs_stop_in_the_order_of_their_stages(start: Start, number: int) -> None:
    process = start(f"last:2:{POLITE}", f"first:0:{POLITE}", f"middle:1:{POLITE}")
    for _ in range(3):
        read_until(process, "here")
    process.send_signal(number)
    assert rest(process) == ["first: bye", "middle: bye", "last: bye", ""]
    assert process.wait() == 0


def test_a_program_that_will_not_stop_is_killed_and_the_exit_code_says_so(start: Start) -> None:
    process = start(f"mule:0:{STUBBORN}", stop_seconds=0.5)
    read_until(process, "here")
    process.terminate()
    assert "up: mule did not stop in time and is killed." in rest(process)
    assert process.wait() == 1


def test_a_second_ctrl_c_kills_at_once(start: Start) -> None:
    process = start(f"mule:0:{STUBBORN}", stop_seconds=30)
    read_until(process, "here")
    process.send_signal(signal.SIGINT)
    read_until(process, "no")
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 1  # and not after the 30 seconds that it would wait for the mule


def test_one_ctrl_c_that_arrives_twice_is_one(start: Start) -> None:
    process = start(f"slow:0:{POLITE}")
    read_until(process, "here")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert "slow: bye" in rest(process)
    assert process.wait() == 0


def test_a_last_line_without_its_end_is_printed(start: Start) -> None:
    process = start("one:0:print('so far', end=''); raise SystemExit(1)")
    read_until(process, "one: so far")


def test_a_program_that_closes_its_output_keeps_running(start: Start) -> None:
    process = start(
        "quiet:0:import os, time; os.close(1); os.close(2); time.sleep(60)", f"one:0:{SLEEP}"
    )
    read_until(process, "one: here")
    time.sleep(0.3)
    process.terminate()
    assert not [line for line in rest(process) if "starts again" in line]


def test_when_nobody_reads_any_more_all_stop(start: Start) -> None:
    process = start("talker:0:import time\nwhile True: print('word'); time.sleep(0.05)")
    read_until(process, "word")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(10) == 0


def test_killing_the_supervisor_ends_its_programs(start: Start) -> None:
    process = start("one:0:import os; print(os.getpid()); import time; time.sleep(60)")
    pid = int(read_until(process, "one: ")[-1].removeprefix("one: "))
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_end_is_described_in_words() -> None:
    assert describe_end(3) == "ended with exit code 3"
    assert describe_end(-9) == "was ended by SIGKILL"
    assert describe_end(-99) == "was ended by signal 99"
