"""The table of faults is whole, leads to tests that exist, and stands in the README."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.faults.table import BAD_INPUTS, CLOUDFLARE, FAULTS, INTENT, OURS, Fault, markdown

TESTS = Path(__file__).resolve().parent.parent
README = (TESTS.parent / "README.md").read_text()

#: What has to be survived, in the words of whoever asked for it; each has its own row.
ASKED = {
    CLOUDFLARE: """
        429 with retry-after in seconds; 429 as a date; 429 without; 500 with 10001; 500 with a
        complete result; 502/504/52x with HTML; challenge page; slow headers; slow body; cut JSON;
        connection reset; refused; DNS failure; wrong content type; empty 204; success: false with
        200; unknown status; unknown step type, trigger; extra and missing fields, nulls; duplicate
        rows; skipped rows while paging; cursor that repeats, never ends; cursor that expires; clock
        skew of minutes; 404 for an instance that the list still shows; list older than detail;
        restart between list and detail; id reused; 25,000 steps; 10 MB param; 1 GiB stream; token
        without a permission, expired; revoked in the middle
    """,
    OURS: """
        worker killed in the middle of a page; worker killed in a bulk item; in a snapshot; two
        beats, two workers on one workflow; Redis gone, back; Redis empty; PostgreSQL gone and back;
        SQLite locked; disk full; double click; two people, opposite actions; action on a page an
        hour old; action whose answer was lost; deploy in the middle of an operation; clock moved
    """,
    INTENT: """
        script in ids, names, params, outputs, errors; CSRF; open redirect; SSRF through a base URL;
        path traversal in ids; header injection; CSV formulas; token in logs, tracebacks, pages,
        task arguments; every URL as every role; frames; session fixation; password guessing;
        oversized bodies; costly pages; JSON depth
    """,
}
LITTLE = {
    *("a", "an", "the", "of", "in", "that", "and", "is", "with", "on", "for", "or", "to", "not"),
    "without",
}


@cache
def names_in(path: Path) -> set[str]:
    """The names of all tests of a file, those in classes too."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - LITTLE


@pytest.mark.parametrize("group", ASKED)
def test_every_fault_that_was_asked_for_has_its_row(group: str) -> None:
    asked = [" ".join(item.split()) for item in ASKED[group].split(";")]
    rows = [fault.name for fault in FAULTS if fault.group == group]

    assert len(rows) == len(asked)
    for item, row in zip(asked, rows, strict=True):
        assert words(item) & words(row), (item, row)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_row_leads_to_tests_that_exist(fault: Fault) -> None:
    assert fault.tests
    assert fault.then.endswith(".")
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert name in names_in(TESTS / file), test


@pytest.mark.parametrize("test", BAD_INPUTS)
def test_every_test_whose_inputs_are_counted_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert name in names_in(TESTS / file)


def test_no_row_stands_twice() -> None:
    assert max(Counter(fault.name for fault in FAULTS).values()) == 1


def test_the_readme_holds_every_row() -> None:
    section = markdown()
    assert section in README, "run `python -m tests.faults.table` and put it into the README"
