"""Deterministic chance: the same seed gives the same account, to the last character."""

from __future__ import annotations

import hashlib
import uuid

_MASK = (1 << 64) - 1


def mix(number: int, salt: int = 0) -> int:
    """Scramble a number into 64 bits (splitmix64); cheap enough to ask a million times."""
    value = (number + salt + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def salt_of(*parts: object) -> int:
    """64 bits from anything that has a stable text."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def uuid_of(*parts: object) -> str:
    """A stable uuid from anything that has a stable text."""
    text = "\x1f".join(str(part) for part in parts)
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
