"""What a template says to a reader without asking a translator."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from django.template.base import Lexer, TokenType

TEMPLATES = settings.BASE_DIR / "templates"
#: Attributes that are read out or shown.
SPOKEN = {"title", "aria-label", "aria-description", "placeholder", "alt", "content"}
#: Cloudflare's words, keys and code are the same in every language; so is what says so itself.
THE_SAME = {"code", "kbd", "pre", "script", "style", "samp"}
#: These have no end tag.
VOID = {"input", "meta", "link", "br", "hr", "img", "use", "path", "rect", "line", "circle"}
#: Text in quotes that a tag hands on to what shows it, unless it stands in _("…").
HANDED_ON = re.compile(r"""(?<![_\w(])(?<!_\()"([^"]*)\"""")
SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]+ [a-z]+")
WORD = re.compile(r"[A-Za-z]{2,}")
#: Tags whose texts are names of templates, files, addresses, or compared with something.
NOT_SHOWN = {
    "extends",
    "load",
    "static",
    "url",
    "if",
    "elif",
    "unchanging",
    "block",
    "now",
    "for",
    "icon",
}
PIECED = re.compile(r"\|(pluralize|yesno)\b|\|default(_if_none)?:\"[^\"]*[A-Za-z]")


class Reading(HTMLParser):
    """Collects the words that stand in the markup as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag not in VOID and (self.silent or tag in THE_SAME or told.get("translate") == "no"):
            self.silent.append(tag)
        if tag == "meta" or self.silent:
            return
        self.found += [
            text for name, text in attrs if name in SPOKEN and text and WORD.search(text)
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            while self.silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.silent and WORD.search(data):
            self.found.append(" ".join(data.split()))


def untranslated(source: str) -> list[str]:
    """The texts of a template that no translator would get to see."""
    reading, found, until = Reading(), [], ""
    for token in Lexer(source).tokenize():
        name, _, rest = token.contents.partition(" ")
        if until:
            until = "" if token.token_type == TokenType.BLOCK and name == until else until
        elif token.token_type == TokenType.TEXT:
            reading.feed(token.contents)
        elif token.token_type == TokenType.VAR and PIECED.search(token.contents):
            found.append(token.contents)
        elif token.token_type == TokenType.BLOCK and name in {"comment", "blocktranslate"}:
            until = f"end{name}"
        elif token.token_type == TokenType.BLOCK and name not in NOT_SHOWN | {"translate"}:
            found += [text for text in HANDED_ON.findall(rest) if SENTENCE.search(text)]
    reading.close()
    return found + reading.found


def of_all() -> dict[str, list[str]]:
    """For each template that says something untranslated, what."""
    told = {
        str(path.relative_to(TEMPLATES)): untranslated(path.read_text(encoding="utf-8"))
        for path in sorted(Path(TEMPLATES).rglob("*.html"))
    }
    return {name: texts for name, texts in told.items() if texts}
