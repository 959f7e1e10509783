"""When instances begin: a rising sequence of instants that needs no memory."""

from __future__ import annotations

from .chance import mix


class Arrivals:
    """The i-th instance is created at `at(i)`, in milliseconds since 1970, rising with i.

    Two stretches: `past` instances spread evenly from `origin` on, then one every `every` from
    `turn` on, without end. `jitter` in 0..1 is how far an instance may come late in its slot,
    `last` how many there will ever be.
    """

    def __init__(
        self,
        *,
        origin: int,
        turn: int,
        past: int,
        every: int,
        salt: int,
        jitter: float = 0.8,
        last: int | None = None,
    ) -> None:
        self._origin, self._turn, self._past, self._every = origin, turn, past, max(1, every)
        self._slot = (turn - origin) // past if past else 1
        self._salt, self._jitter, self._last = salt, jitter, last

    def at(self, index: int) -> int:
        """When the instance of this index is created."""
        if index < self._past:
            start, slot = self._origin + index * self._slot, self._slot
        else:
            start, slot = self._turn + (index - self._past) * self._every, self._every
        span = int(slot * self._jitter)
        return start + (mix(index, self._salt) % span if span else 0)

    def count(self, now: int) -> int:
        """How many have been created up to and including `now`."""
        if now < self._origin:
            return 0
        if now < self._turn:
            guess = min(self._past, (now - self._origin) // max(1, self._slot) + 1)
        else:
            guess = self._past + (now - self._turn) // self._every + 1
        if self._last is not None:
            guess = min(guess, self._last)
        while guess and self.at(guess - 1) > now:
            guess -= 1
        return guess
