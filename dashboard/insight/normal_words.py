"""Pure: which words of an error's message name a cause, and what stands for those that do not."""

from __future__ import annotations

import re

ID, NUMBER, TEXT, TIME = "<id>", "<n>", "<text>", "<time>"
UNITS = (
    "ms|milliseconds?|s|sec|secs|seconds?|min|mins|minutes?|h|hours?|days?|µs|us|ns|"
    "bytes?|[kKMGT]i?[bB]|B|%|"
    "Sekunden?|Minuten|Stunden|Tage|secondes?|heures?|segundos?|minutos?|horas?|secondi"
)
#: Before a number these say that it is a code, and not an amount.
CODE = re.compile(
    r"(code|errno|error|status|sqlstate|http|errcode|fehlercode|exit)[\s:=#(\[/'\"-]{0,4}$", re.I
)
#: Before a number of three digits, these say that it is a status.
ANSWERED = re.compile(r"((returned|responded with|answered|replied)\s|failed[:\s]{0,2}\(?)$", re.I)
PORTED = re.compile(r"(\[.*\]|[\d.]+):\d{1,5}")
PORT = re.compile(r"\bport[\s:=]{1,3}$", re.I)
STATUS = re.compile(r"[1-5]\d\d")
#: A message that begins with a code: "429 You exceeded", "14 UNAVAILABLE:", "3040: Capacity".
LEADING = re.compile(r"\s*$")
#: Words with digits in them that are names.
KNOWN = re.compile(
    r"v\d{1,3}|s3|r2|d1|x509|u?int\d{1,3}|float\d\d|utf-?\d{1,2}|base\d\d|sha-?\d{1,3}|md5|http2?|"
    r"http-?[123]|ip?v[46]|oauth2?|mp[34]|h26[45]|k8s|i18n|ec2|es\d{4}|tls1?|sqlite3|urllib3|"
    r"boto3|\d{3,4}p|[248]k|(e|p|ts|cs|ora-|err-?)\d{3,6}",
    re.I,
)
CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
COUNTED = re.compile(r"([^\W\d_]+(?:[-_][^\W\d_]+)*)[-_]?((?:[-_]?\d+)+)")
HEX = re.compile(r"[0-9a-fA-F]{8,}")
#: Digits alone, so many of them, are an id: of those in hexadecimal a few have no letter.
LONG = 10
#: One of many that has a word before it. Some of them are digits alone, and some letters.
PREFIXED = re.compile(r"([a-z]{2,20})[-_](?:[0-9a-f]{8,}|[0-9A-F]{8,})")
#: What follows them names one thing of many.
NAMES_ONE = re.compile(r"\b(sku|ref|reference|trace|request|session|ray)[\s:=#]{1,3}$", re.I)
#: Beside a quoted name, these say that it is one of the schema or of the code.
SCHEMA = (
    "column|table|relation|constraint|index|key|field|property|attribute|argument|parameter|param|"
    "method|function|type|enum|class|module|named|model|path|reading|setting|event|binding|"
    "header|option|variable|schema|database|role|queue|topic|stream|collection|bucket|claim|"
    "element|selector|codec|properties|fields|columns|keyword|directive|label|action|scope"
)
SCHEMA_BEFORE = re.compile(rf"\b({SCHEMA})(\(s\))?[\s:=(]{{1,4}}$", re.I)
SCHEMA_AFTER = re.compile(rf"\s(object |{SCHEMA})\b", re.I)
#: Before a quoted text these say that somebody sent it.
VALUE_BEFORE = re.compile(
    r"(:\s?|\b(received|got|value|input|given|entry|provided|user|data) )$", re.I
)
NAME = re.compile(r"[^\W\d][\w$.#()@/ -]{0,80}")
#: Names as code has them: two words in one, or with a dot.
CODED = re.compile(r"_?[^\W\d]+([._$][^\W\d_]+)+(\(\))?|[a-zA-Z]*[a-z][A-Z][a-zA-Z]*")
HOST = re.compile(r"([a-z0-9-]{1,63}\.){2,8}[a-z]{2,24}(:\d{1,5})?")
PUNCTUATION = re.compile(r"[^\w\s]")
PLACE = re.compile(r"\[\d{1,9}\]")


def number(part: str, before: str) -> str:
    """What stands for a number after these words."""
    digits = part.strip()
    if digits.isdecimal():
        if len(digits) >= LONG:
            return ID
        if CODE.search(before) or PORT.search(before):
            return part
        is_status = "400" <= digits <= "599" and STATUS.fullmatch(digits)
        if is_status and before.endswith(" ("):
            return part
        if STATUS.fullmatch(digits) and (ANSWERED.search(before) or LEADING.fullmatch(before)):
            return part
    if digits.endswith("%"):
        return f"{NUMBER} %"
    return NUMBER


def word(part: str, before: str) -> str:
    """What stands for a word: itself, unless it names one thing of many."""
    if "." in part or ":" in part:
        return _dotted(part)
    if NAMES_ONE.search(before) and (any(map(str.isdigit, part)) or part.isupper()):
        return ID
    return token(part)


def token(part: str) -> str:
    """What stands for a word without dots."""
    if HEX.fullmatch(part):
        return ID
    if prefixed := PREFIXED.fullmatch(part):
        return f"{prefixed[1]}-{NUMBER}"
    if not any(map(str.isdigit, part)) or KNOWN.fullmatch(part):
        return part
    if part.isdecimal():
        return NUMBER
    if CONSTANT.fullmatch(part) and sum(map(str.isdigit, part)) <= 2:
        return part
    if counted := COUNTED.fullmatch(part):
        return f"{counted[1]}-{NUMBER}" if len(counted[1]) > 1 else ID
    if _is_versioned(part):
        return part
    if not part.isascii() and not re.search(r"[a-zA-Z]\d|\d[a-zA-Z]", part):
        return re.sub(r"\d+", NUMBER, part)
    return ID


def _is_versioned(part: str) -> bool:
    """True for a name such as gpt-4o: a word of its own, and short parts with digits."""
    first, *rest = part.split("-")
    return (
        first.isalpha()
        and first.islower()
        and len(first) > 2
        and bool(rest)
        and all(one.isalpha() or len(one) <= 2 for one in rest)
    )


def _dotted(part: str) -> str:
    """A host, a name with dots in it, or the end of a sentence and the begin of another."""
    name, colon, port = part.partition(":")
    labels = name.split(".")
    is_host = labels[-1].isalpha() and len(labels) > 2
    told = [token(label) for label in labels[:1]]
    told += labels[1:] if is_host else map(token, labels[1:])
    return ".".join(told) + (f":{port}" if colon else "")


def ip(part: str) -> str:
    """An address; its port says which service it was, unless it was chosen for the connection."""
    port = part.rpartition("]:" if "[" in part else ":")[2] if PORTED.fullmatch(part) else ""
    return f"<ip>:{port}" if port and int(port) < 32_768 else "<ip>"


def address(part: str, *, is_url: bool) -> str:
    """A URL or a path: its host and the words of its path, without its query."""
    whole = re.split(r"[?#]", part, maxsplit=1)[0] if is_url or "=" in part else part
    whole = re.sub(r"(:\d{1,7}){1,2}$", "", whole) if not is_url else whole
    scheme, _, rest = whole.rpartition("://")
    tail = rest[len(rest.rstrip(".,;:)")) :] if is_url else ""
    segments = rest.removesuffix(tail).replace("\\", "/").split("/")
    host = _dotted(segments.pop(0)) if is_url else ""
    told = [_segment(segment) for segment in segments]
    path = "/".join([host, *told] if is_url else told)
    return f"{scheme}://{path}{tail}" if scheme else path


def _segment(segment: str) -> str:
    stem, dot, ending = segment.rpartition(".")
    if dot and stem and ending.isalnum():
        known = token(stem) if "." not in stem else _dotted(stem)
        return known if known != stem else segment
    if re.search(r"\d", segment) and re.search(r"[^\w-]", segment):
        return ID
    return token(segment) if re.fullmatch(r"[\w$-]+", segment) else segment


def is_name(inner: str, before: str, after: str, *, is_code: bool) -> bool:
    """True when what was quoted names a part of the schema or of the code, or an address."""
    if PUNCTUATION.fullmatch(inner) or "://" in inner:
        return True
    if HOST.fullmatch(inner):
        return not VALUE_BEFORE.search(before)
    plain = PLACE.sub("", inner)
    if not NAME.fullmatch(plain.lstrip("#./")):
        return False
    if " " in plain or any(map(str.isdigit, plain)):
        return False
    if SCHEMA_BEFORE.search(before) or SCHEMA_AFTER.match(after):
        return True
    if VALUE_BEFORE.search(before):
        return False
    return is_code or bool(CODED.fullmatch(plain)) or plain != inner
