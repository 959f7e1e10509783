"""What no linter looks at: rules that hold for files of every kind in this repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted([*ROOT.glob("templates/**/*.html"), *ROOT.glob("dashboard/**/*.html")])
LOCKS = [*ROOT.glob("requirements*.txt"), *ROOT.glob("tests/**/package-lock.json")]

#: What the content security policy drops without a word, and what to write instead.
DROPPED = {
    "a style attribute; use a class": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "an inline handler; use a script file": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "an inline script; use a script file": re.compile(r"<script\b(?![^>]*\ssrc\s*=)", re.I),
    "an inline style sheet; use a style file": re.compile(r"<style\b", re.I),
    "an htmx attribute that needs eval": re.compile(
        r"\shx-on\b|\shx-(?:vals|headers)[^=]*=\s*.js:|\shx-trigger[^=]*=\s*\"[^\"]*\[", re.I
    ),
}


@pytest.mark.parametrize("meaning", DROPPED)
def test_no_template_holds_what_the_policy_would_drop(meaning: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in TEMPLATES
        for match in DROPPED[meaning].finditer(path.read_text())
    ]
    assert found == [], f"The content security policy drops {meaning}."


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_lock_files_name_packages_and_hashes_but_no_addresses(path: Path) -> None:
    assert (
        re.findall(r"https?://\S+\.(?:tgz|whl|gz)|--(?:extra-)?index-url", path.read_text()) == []
    )


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_every_locked_package_has_a_hash(path: Path) -> None:
    blocks = re.split(r"\n(?=\S)", path.read_text().strip())
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("static/css/*.css")), ids=lambda path: path.name)
def test_no_style_makes_each_insertion_restyle_the_whole_page(path: Path) -> None:
    rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert re.findall(r"[^{}]*[+~]\s*\*[^{}]*\{", rules) == []
