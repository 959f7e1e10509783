"""The README says what is true: every setting stands in its table, every command exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()

LIST = """
import django; django.setup()
from dashboard import connection, env
connection.configured_accounts()
for v in env.VARIABLES.values():
    print(f"| `{v.name}` | {f'`{v.default}`' if v.default else ''} | {v.help} |")
"""


def rows_of_settings() -> list[str]:
    """The table's rows, as a process with an empty environment reads its settings."""
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "dashboard.settings", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_table_lists_every_setting_and_no_other() -> None:
    table = README.split("## Settings")[1].split("\n## ")[0]
    written = [line for line in table.splitlines() if line.startswith("| `")]

    assert written == rows_of_settings()


def test_every_make_word_in_the_readme_exists() -> None:
    words = set(re.findall(r"\bmake ([a-z]+)\b(?=[`\n ])", README)) & set(
        re.findall(r"`make ([a-z]+)`", README) + re.findall(r"^make ([a-z]+)$", README, re.M)
    )
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))

    assert {"run", "test"} <= words <= targets


@pytest.mark.parametrize("picture", re.findall(r"\]\((docs/[^)]+)\)", README))
def test_every_picture_exists(picture: str) -> None:
    assert (ROOT / picture).stat().st_size > 1000


if __name__ == "__main__":
    print("\n".join(rows_of_settings()))
