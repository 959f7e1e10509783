"""Pure: an error's message without what differs from one failure to the next.

Ids, numbers, times, addresses and values that somebody sent become a word in angle brackets; what
tells one cause from another stays: status and error codes, hosts, paths, names of columns, fields
and functions. Every expression here is bounded, and a message is cut before it is read, so that the
time it takes does not grow with what an instance threw.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from dashboard.insight import normal_words
from dashboard.insight.normal_words import ID, NUMBER, TEXT, TIME

#: Characters of a message that are read, and of its normal form that are kept.
READ = 4_000
KEPT = 1_000
LINES = 40
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: From a line like these on, a message only says where it happened.
TRACE = re.compile(
    r"\s*(at .{1,300}[:(]|File \"|Traceback \(|goroutine \d|\[signal |stack backtrace|"
    r"(DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LINE \d+):|For (more|further) information)"
)
#: A line of the source, as some libraries show it.
SOURCE = re.compile(r"\s*(→|>|\|)?\s*\d{1,6}[ |]")
PHRASES = "|".join(sorted({re.escape(one.phrase) for one in HTTPStatus}, key=len, reverse=True))
#: Names in a JSON body whose values say what happened; all others only say to whom.
SAYING = (
    "error", "errors", "code", "type", "message", "name", "reason", "path", "field", "param",
    "detail", "details", "title", "status", "expected", "received", "error_description", "cause",
)  # fmt: skip
BODY = re.compile(r"\[\s{0,40}\{\s{0,40}\"|\{\s{0,40}\"")
DEPTH = 6

STATUS_TEXT = re.compile(rf"[1-5]\d\d ({PHRASES})")

#: What is known by its form, wherever it stands; the first that fits counts.
FORMS = re.compile(
    rf"""
      (?P<url>[a-zA-Z][a-zA-Z0-9+.-]{{1,15}}://[^\s"'`<>\]]{{1,1000}})
    | (?P<status>\b[1-5]\d\d[ ](?:{PHRASES})(?!\w))
    | (?P<jwt>\beyJ[\w-]{{5,2000}}\.[\w-]{{1,2000}}(?:\.[\w-]{{0,2000}})?)
    | (?P<email><?[\w.+%-]{{1,64}}@(?:[\w-]{{1,63}}\.){{1,8}}[a-zA-Z]{{2,24}}>?)
    | (?P<uuid>\b[0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}}\b)
    | (?P<time>
        (?<!\d)\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{{1,9}})?)?
          (?:Z|[ ]?UTC|[ ]?GMT|[+-]\d\d:?\d\d)?)?(?!\d)
      | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ ])?
        \d{{1,2}}[ ](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{{0,6}}[ ]\d{{4}}
        (?:[ ]\d\d:\d\d(?::\d\d)?)?(?:[ ](?:GMT|UTC))?
      | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{{0,6}}[ ]\d{{1,2}},?[ ]\d{{4}}
      | (?<![\d.])\d{{1,2}}([./])\d{{1,2}}\1(?:\d{{4}}|\d\d)(?![\d.]\d?)
      | (?<![\w:.])\d{{1,2}}:\d\d(?::\d\d(?:[.,]\d{{1,9}})?)?(?:[ ]?[AaPp][Mm]|[ ]Uhr)?(?![\w:])
      )
    | (?P<ip>(?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\w.]\d)(?::\d{{1,5}})?
      | \[(?:[0-9a-fA-F]{{0,4}}:){{2,8}}[0-9a-fA-F]{{1,4}}\](?::\d{{1,5}})?
      | (?<![\w:])(?:[0-9a-fA-F]{{0,8}}:){{3,12}}[0-9a-fA-F]{{1,8}}(?![\w:]))
    | (?P<phone>(?<!\w)\+\d[\d ()-]{{6,20}}\d)
    | (?P<path>(?:\b[a-zA-Z]:)?[/\\]{{0,2}}[\w.@~+%$-]{{1,200}}(?:[/\\][\w.@~+%$-]{{1,200}}){{1,40}}
        (?:\?[^\s"'<>)]{{0,1000}})?(?::\d{{1,7}}){{0,2}}
      | (?<![\w/\\])[/\\][\w.@~+%$-]{{1,200}}(?::\d{{1,7}}){{0,2}}
      | \b[\w-]{{1,100}}\.(?:js|ts|mjs|tsx?|jsx|py|rb|go|rs|java|php|cs):\d{{1,7}}(?::\d{{1,7}})?)
    | (?P<smtp>\b[245]\d\d[ -][245]\.\d\.\d{{1,2}}\b)
    | (?P<number>(?<![\w.])[-+]?\d{{1,30}}(?:[.,'\u00a0\u202f ]\d{{3}}(?!\d)){{0,6}}
        (?:[.,:]\d{{1,20}}){{0,4}}(?:[ ]?(?:{normal_words.UNITS})(?![\w]))?(?![\w-]))
    | (?P<quoted>
        (?<!\w)'[^'\n]{{0,300}}'(?!\w) | "(?:[^"\\\n]|\\.){{0,300}}" | `[^`\n]{{0,300}}`
      | „[^“”\n]{{0,300}}[“”] | “[^”\n]{{0,300}}” | «[^»\n]{{0,300}}» | 「[^」\n]{{0,300}}」)
    | (?P<braces>\{{\s?['"][^{{}}]{{0,1000}}\}})
    | (?P<stars>\*{{3,}}\w{{0,10}})
    | (?P<word>[\w$][\w$-]{{0,400}}(?:\.[\w$][\w$-]{{0,400}}){{0,20}}(?::\d{{1,5}}(?!\w))?)
    """,
    re.VERBOSE,
)
REPEATED = re.compile(r"(<[a-z]+>)(?:[ ,;]{1,3}\1)+")


def normal(message: str) -> str:
    """The message in normal form, at most KEPT characters in one line. Never raises."""
    text = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", message[:READ])
    told = "".join(_parts(_essential(text).strip()))
    return REPEATED.sub(r"\1", " ".join(told.split()))[:KEPT]


def _essential(text: str) -> str:
    """Without what only says where it happened. The first line with a word always stays."""
    kept: list[str] = []
    for line in text.strip().splitlines()[:LINES]:
        if kept and TRACE.match(line):
            break
        if line.strip() and not (kept and SOURCE.match(line)):
            kept.append(line)
    return "\n".join(kept)


def _parts(text: str) -> Iterator[str]:
    """The text in normal form, with what a JSON body in it says."""
    opening = BODY.search(text)
    if opening:
        try:
            body, end = json.JSONDecoder().raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            pass
        else:
            yield _words(text[: opening.start()])
            yield f" {' '.join(_said(body, DEPTH))} "
            yield _words(text[end:])
            return
    yield _words(text)


def _said(value: Any, depth: int) -> Iterator[str]:
    """What a JSON value says: of an object only what names a cause, if it has anything of it."""
    if isinstance(value, dict) and depth:
        names = [name for name in SAYING if name in value] or sorted(map(str, value))
        for name in names:
            yield f"{_words(name)}:"
            yield from _said(value[name], depth - 1)
    elif isinstance(value, list) and depth:
        for one in value[:LINES]:
            yield from _said(one, depth - 1)
    elif isinstance(value, bool) or value is None:
        yield str(value).lower()
    elif isinstance(value, int | float):
        # A code of an error is one; a place in a list, an amount or a limit is none.
        yield str(value) if 100 <= value < 600 and isinstance(value, int) else NUMBER
    else:
        yield _words(str(value)[:READ])


def _words(text: str) -> str:
    told: list[str] = []
    end = 0
    for found in FORMS.finditer(text):
        told.append(text[end : found.start()])
        told.append(_word(found, text))
        end = found.end()
    return "".join([*told, text[end:]])


def _word(found: re.Match[str], text: str) -> str:
    """What stands for one part of a message."""
    kind, part = found.lastgroup or "", found[0]
    match kind:
        case "url" | "path":
            return normal_words.address(part, is_url=kind == "url")
        case "status" | "smtp":
            return part
        case "email":
            return "<email>"
        case "time":
            return TIME
        case "ip":
            return normal_words.ip(part)
        case "number":
            return normal_words.number(part, text[max(0, found.start() - 30) : found.start()])
        case "quoted":
            return _quoted(part, text, found)
        case "word":
            return normal_words.word(part, text[max(0, found.start() - 30) : found.start()])
        case "braces":
            return TEXT
        case _:
            return ID


def _quoted(part: str, text: str, found: re.Match[str]) -> str:
    """A quoted name stays, a quoted value does not."""
    before, after = text[max(0, found.start() - 40) : found.start()], text[found.end() :][:30]
    inner = part[1:-1].strip()
    is_whole = part == text.strip()
    if STATUS_TEXT.fullmatch(inner):
        return f"{part[0]}{inner}{part[-1]}"
    if is_whole or normal_words.is_name(inner, before, after, is_code=part[0] == "`"):
        return f"{part[0]}{_words(inner)}{part[-1]}"
    return TEXT
