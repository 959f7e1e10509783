"""The particulars of one instance: the words and numbers in its params, outputs and errors."""

from __future__ import annotations

from random import Random

_NAMES = (
    "ada",
    "bela",
    "chen",
    "dara",
    "emeka",
    "farah",
    "goran",
    "hana",
    "ines",
    "jonas",
    "kofi",
    "lena",
    "mira",
    "nils",
    "oana",
    "pavel",
    "quinn",
    "rosa",
    "sami",
    "tuva",
)
_CITIES = (
    "Lisbon",
    "Nairobi",
    "Oslo",
    "Porto",
    "Quito",
    "Riga",
    "Seoul",
    "Tartu",
    "Utrecht",
    "Vienna",
)


class Facts:
    """What tells one instance from the next. Takes no part in deciding how long anything takes."""

    def __init__(self, number: int) -> None:
        """`number` is any integer that is the instance's own."""
        chance = Random(number)
        self.number = number
        self.order = chance.randrange(100_000, 999_999)
        self.customer = chance.choice(_NAMES)
        self.city = chance.choice(_CITIES)
        self.cents = chance.randrange(499, 48_999)
        self.items = chance.randrange(1, 7)
        self.key = f"{chance.getrandbits(48):012x}"
        self.chance = chance

    @property
    def email(self) -> str:
        """An address that nobody owns."""
        return f"{self.customer}.{self.order}@example.com"
