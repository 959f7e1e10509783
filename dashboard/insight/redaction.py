"""What a page for other eyes must not show: secrets by the name of their key, by look, by rule.

Rules are plain words, no patterns of the maker's own: what a word hides can be seen at a glance,
and no rule can keep a process busy for minutes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from dashboard.cloudflare import values

HIDDEN = "[hidden]"
#: A key that holds one of these, whatever its case and its dashes, has its value hidden.
KEY_WORDS = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey",
    "authorization", "credential", "cookie", "sessionid", "email", "iban", "cardnumber", "cvv",
)  # fmt: skip
_NAME = "|".join(re.sub("key$", "[-_. ]?key", word) for word in KEY_WORDS)
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
)
#: `password=…`, `"token": "…"`, the same in JSON within a text, and where it was cut off.
_PAIR = (
    rf"((?:{_NAME})[\w.-]{{0,40}}\\*[\"']?\s{{0,3}}[:=]\s{{0,3}})"
    rf"(?!\[hidden\])(\\*\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\s,;&\"'}}\]]+)"
)
#: What is hidden, what stands there instead, and texts of which a text must hold one, in small
#: letters, to be worth the search: a line may be of megabytes.
_PATTERNS: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = (
    (re.compile(_PRIVATE_KEY, re.DOTALL), HIDDEN, ("private key",)),
    (re.compile(r"\beyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*)?"), HIDDEN, ("eyj",)),
    (
        re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE),
        rf"\1 {HIDDEN}",
        ("bearer", "basic"),
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), HIDDEN, ("akia", "asia")),
    (
        re.compile(r"\b(?:sk|rk|pk|ghp|gho|ghs|xox[abprs]|glpat|wfd)[-_][\w-]{10,}"),
        HIDDEN,
        ("k-", "k_", "gh", "xox", "glpat", "wfd_"),
    ),
    (re.compile(r"(?<=://)[^\s/:@]{1,200}:[^\s/@]{1,200}(?=@)"), HIDDEN, ("://",)),
    (re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), HIDDEN, ("@",)),
    (
        re.compile(_PAIR, re.IGNORECASE),
        rf"\1{HIDDEN}",
        tuple({re.sub(".*key$", "key", word) for word in KEY_WORDS}),
    ),
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])")
_DEEPEST = 200


@dataclass
class Redaction:
    """`words`: each hides the value of keys that hold it, and itself in every text. `steps`: base
    names of steps whose outputs and errors are hidden. `count`: how much was hidden so far.
    """

    words: Collection[str] = ()
    steps: Collection[str] = ()
    hides_params: bool = False
    hides_outputs: bool = False
    count: int = 0
    _keys: tuple[str, ...] = field(init=False)
    _texts: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        given = [word for word in self.words if word.strip()]
        plain = (_plain(word) for word in given)
        self._keys = (*KEY_WORDS, *(word for word in plain if word))
        by_length = sorted(given, key=len, reverse=True)
        self._texts = (
            re.compile("|".join(map(re.escape, by_length)), re.IGNORECASE) if given else None
        )

    def answer(self, answer: Any) -> Any:
        """Cloudflare's answer about an instance, without what must not be shown."""
        told = dict(values.mapping(answer))
        if self.hides_params and told.get("params") is not None:
            told["params"] = self._hide()
        if self.hides_outputs and told.get("output") is not None:
            told["output"] = self._hide()
        told["steps"] = [self._step(step) for step in values.items(told.get("steps"))]
        return self.value(told)

    def output(self, step: Any, whole: Any) -> Any:
        """The whole output of a step as it is kept; bytes are never shown to others."""
        if "value" not in whole or self.hides_outputs or self._is_hidden(step):
            return {"value": self._hide()}
        return {"value": self.value(whole["value"])}

    def value(self, value: Any, depth: int = _DEEPEST) -> Any:
        """A JSON value; JSON that is written in a text is read, and written again."""
        if depth == 0:
            return self._hide()
        if isinstance(value, dict):
            return {
                self.text(str(name)): self._of_key(str(name), one, depth - 1)
                for name, one in value.items()
            }
        if isinstance(value, list):
            return [self.value(one, depth - 1) for one in value]
        return self._text_or_json(value, depth) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """A text without what looks like a secret."""
        small = text.lower()
        for pattern, instead, needs in _PATTERNS:
            if any(need in small for need in needs):
                text = self._replaced(pattern, instead, text)
        text = self._replaced(_CARD, _hidden_card, text)
        return self._replaced(self._texts, HIDDEN, text) if self._texts else text

    def _step(self, step: Any) -> Any:
        if not isinstance(step, dict):
            return step
        hides_all = self._is_hidden(step)
        if not hides_all and not self.hides_outputs:
            return step
        found = dict(step)
        if found.get("output") is not None:
            found["output"] = self._hide()
        if hides_all:
            found = {name: self._without_error(name, one) for name, one in found.items()}
        return found

    def _without_error(self, name: str, value: Any) -> Any:
        if name == "error" and value:
            return {"name": "", "message": self._hide()}
        if name == "attempts":
            return [
                {key: self._without_error(key, one) for key, one in attempt.items()}
                if isinstance(attempt, dict)
                else attempt
                for attempt in values.items(value)
            ]
        return value

    def _is_hidden(self, step: Any) -> bool:
        row = values.mapping(step)
        is_sensitive = values.mapping(row.get("config")).get("sensitive") in ("output", True)
        return is_sensitive or _base_name(values.text(row.get("name"))) in self.steps

    def _of_key(self, name: str, value: Any, depth: int) -> Any:
        plain = _plain(name)
        is_secret = any(word in plain for word in self._keys)
        if is_secret and value not in (None, "", HIDDEN) and not isinstance(value, bool):
            return self._hide()
        return self.value(value, depth)

    def _text_or_json(self, text: str, depth: int) -> str:
        if text[:1] in {"{", "["}:
            try:
                inner = values.loads(text)
            except ValueError:
                return self.text(text)
            return json.dumps(self.value(inner, depth - 1), ensure_ascii=False)
        return self.text(text)

    def _replaced(
        self, pattern: re.Pattern[str], instead: str | Callable[[re.Match[str]], str], text: str
    ) -> str:
        replaced = pattern.sub(instead, text)
        if replaced != text:
            self.count += replaced.count(HIDDEN) - text.count(HIDDEN) or 1
        return replaced

    def _hide(self) -> str:
        self.count += 1
        return HIDDEN


def _plain(name: str) -> str:
    return re.sub(r"[^\w]|_", "", name).casefold()


def _base_name(name: str) -> str:
    head, dash, count = name.rpartition("-")
    return head if dash and count.isdecimal() else name


def _hidden_card(found: re.Match[str]) -> str:
    """Only a number that can be a card's, by its check digit: most long numbers are ids."""
    digits = [int(digit) for digit in found[0] if digit.isdigit()][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return HIDDEN if (sum(digits[::2]) + sum(doubled)) % 10 == 0 else found[0]
