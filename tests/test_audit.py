"""Known vulnerabilities stop a build; a machine that reaches no list of them says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

HOLE = {"id": "CVE-2026-1", "fix_versions": ["2.0"]}


@pytest.mark.parametrize(
    ("told", "code", "says"),
    [
        ([{"name": "a", "version": "1.0", "vulns": [HOLE]}], 1, "CVE-2026-1, mended in 2.0"),
        ([{"name": "a", "version": "1.0", "vulns": []}], 0, "1 of 1 packages were audited, 0"),
        ([{"name": "a", "skip_reason": "not found: a"}], 0, "Not audited: not found: a"),
        (None, 0, "Not audited: no such host"),
    ],
)
def test_a_package_with_a_known_vulnerability_fails(
    tmp_path: Path, told: list[dict[str, Any]] | None, code: int, says: str
) -> None:
    answer = "" if told is None else json.dumps({"dependencies": told})
    program = f"import sys; print({answer!r}); print('no such host', file=sys.stderr)"
    (tmp_path / "pip_audit.py").write_text(program)

    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "scripts" / "audit", "requirements.txt"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stderr
    assert says in done.stdout
