"""How many faults and bad inputs a test run has tried, for its last line.

A fault of the table counts when every test that its row names has run and passed, each with all of
its cases that were chosen. A bad input counts each time that a test of BAD_INPUTS was given one:
once for each of its cases, and for a test of hypothesis once for each example that it made up.
"""

from __future__ import annotations

from collections import defaultdict
from functools import wraps
from typing import Any

import pytest

from tests.faults.table import BAD_INPUTS, FAULTS


class Counting:
    """A plugin of pytest."""

    def __init__(self) -> None:
        self.bad_inputs = 0
        self._outcomes: defaultdict[str, set[str]] = defaultdict(set)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        if name_of(item.nodeid) in BAD_INPUTS:
            self._count_inputs(item)
        return (yield)

    def _count_inputs(self, item: pytest.Item) -> None:
        function = getattr(item, "obj", None)
        made_up = getattr(function, "hypothesis", None)
        if made_up is None:
            self.bad_inputs += 1
            return
        inner = made_up.inner_test
        if hasattr(inner, "counts_inputs"):
            return

        @wraps(inner)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.bad_inputs += 1
            return inner(*args, **kwargs)

        counted.counts_inputs = True  # type: ignore[attr-defined]
        made_up.inner_test = counted

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._outcomes[name_of(report.nodeid)].add(report.outcome)

    @property
    def faults(self) -> int:
        """The rows of the table whose tests have all passed."""
        return sum(
            all(self._outcomes[test] == {"passed"} for test in fault.tests) for fault in FAULTS
        )

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A process of several tells its number to the one that sums up."""
        told = getattr(session.config, "workeroutput", None)
        if told is not None:
            told["bad_inputs"] = self.bad_inputs

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.bad_inputs += getattr(node, "workeroutput", {}).get("bad_inputs", 0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.faults or self.bad_inputs:
            terminalreporter.write_line(
                f"{self.faults} of {len(FAULTS)} faults and {self.bad_inputs:,} bad inputs were "
                "tried."
            )


def name_of(node: str) -> str:
    """As the table names it: the file in `tests/`, and the test without its class and case."""
    file, _, rest = node.partition("::")
    return f"{file.removeprefix('tests/')}::{rest.partition('[')[0].rpartition('::')[2]}"
