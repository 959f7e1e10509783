"""Ids of instances that can be read back, so that a million of them need no dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .arrivals import Arrivals
from .chance import mix


class Ids(Protocol):
    """Index to id and back."""

    def encode(self, index: int) -> str:
        """The id of an instance."""

    def decode(self, text: str) -> int | None:
        """The index that an id stands for, None when it is no such id."""


@dataclass(frozen=True)
class Numbered:
    """Ids that people would give: `order-100417`."""

    prefix: str
    first: int = 100_000

    def encode(self, index: int) -> str:
        """`order-` and a rising number."""
        return f"{self.prefix}{self.first + index}"

    def decode(self, text: str) -> int | None:
        """The number behind the prefix."""
        digits = text.removeprefix(self.prefix)
        if not text.startswith(self.prefix) or not digits.isascii() or not digits.isdigit():
            return None
        index = int(digits) - self.first
        return index if index >= 0 and self.encode(index) == text else None


@dataclass(frozen=True)
class Generated:
    """Uuids, as the platform gives when nobody names the instance."""

    salt: int

    def encode(self, index: int) -> str:
        """A uuid whose last eight digits hide the index."""
        high, low = mix(index, self.salt), mix(index, self.salt + 1)
        tail = (index ^ self.salt) & 0xFFFFFFFF
        text = f"{high:016x}{low:016x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:24]}{tail:08x}"

    def decode(self, text: str) -> int | None:
        """Read the tail, then compare the whole."""
        try:
            index = (int(text[-8:], 16) ^ self.salt) & 0xFFFFFFFF
        except ValueError:
            return None
        return index if self.encode(index) == text else None


@dataclass(frozen=True)
class Scheduled:
    """Ids of scheduled instances: the cron expression, a dash, the scheduled time in ms."""

    cron: str
    arrivals: Arrivals
    period: int

    def scheduled_time(self, index: int) -> int:
        """The tick that the instance was made for."""
        created = self.arrivals.at(index)
        return created - created % self.period

    def encode(self, index: int) -> str:
        """`*/30 * * * *-1786001400000`."""
        return f"{self.cron}-{self.scheduled_time(index)}"

    def decode(self, text: str) -> int | None:
        """The instance whose tick is the time behind the last dash."""
        cron, _, moment = text.rpartition("-")
        if cron != self.cron or not moment.isascii() or not moment.isdigit():
            return None
        index = self.arrivals.count(int(moment) + self.period - 1) - 1
        return index if index >= 0 and self.encode(index) == text else None
