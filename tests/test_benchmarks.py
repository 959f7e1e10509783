"""The benchmark prints every figure; that unchanged rows write nothing is no matter of time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import SECTIONS
from tests.servers.postgres import programs
from tests.servers.process import NotInstalled


def test_a_small_run_prints_every_figure_and_unchanged_rows_write_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.storing", "--rows", "2000", "--window", "2000"]
    done = subprocess.run(
        [*command, "--rounds", "2"],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    head, _, *found = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]

    assert found[0][0] == "sqlite, 2,000"
    for cells in found:
        assert len(cells) == len(head) == 6
        assert all(any(letter.isdigit() for letter in cell) for cell in cells)
        number, unit = cells[3].split(" ", 1)
        assert float(number) <= {"rows": 0, "bytes of WAL": 100}[unit]
    try:
        programs()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    assert found[-1][0] == "postgresql, 2,000"


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_can_be_run_alone(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"python -m benchmarks.{name}" in done.stdout
    assert "--full" in done.stdout
