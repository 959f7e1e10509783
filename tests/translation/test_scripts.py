"""What scripts write stands on the page, in the reader's language."""

from __future__ import annotations

import re

from django.conf import settings

TEXTS = settings.BASE_DIR / "templates" / "components" / "texts.html"
SCRIPTS = settings.BASE_DIR / "static" / "js"
#: A text that `say` is asked for, or one of those that it is chosen from.
NAMED = re.compile(r"""\bsay\("(\w+)"|[?:] "(\w+)\"""")


def _camel(name: str) -> str:
    """An attribute's name as `dataset` has it."""
    return re.sub(r"-(\w)", lambda found: found[1].upper(), name)


def test_the_page_has_each_text_that_a_script_says_and_no_other() -> None:
    held = {_camel(name) for name in re.findall(r"data-([a-z-]+)=", TEXTS.read_text())}
    scripts = "".join(path.read_text() for path in sorted(SCRIPTS.glob("*.js")))
    said = set(re.findall(r'\bsay\("(\w+)"', scripts))

    assert said <= held
    assert held <= {first or second for first, second in NAMED.findall(scripts)}
