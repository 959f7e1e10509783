"""Reading the environment: typed, named, and listed, so that the README's table can be checked.

Each variable is declared where it is read. `NAME_FILE` is honoured for secrets, so that they can be
mounted as files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True)
class Variable:
    """One variable of the environment: its name, its default as text, and what it is for."""

    name: str
    default: str
    help: str


#: Every variable that has been read, in order: what the README's table must list.
VARIABLES: dict[str, Variable] = {}


def text(name: str, default: str = "", *, help: str) -> str:
    """The variable's text, stripped; `default` when it is unset or empty."""
    VARIABLES[name] = Variable(name, default, help)
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False, *, help: str) -> bool:
    """True or false; raises ImproperlyConfigured for any other word."""
    value = text(name, "true" if default else "false", help=help).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; write true or false.")


def choice(name: str, choices: Sequence[str], *, help: str) -> str:
    """One of these words, the first when it is unset; raises ImproperlyConfigured for another."""
    value = text(name, choices[0], help=help)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; write {' or '.join(choices)}.")
    return value


def number(
    name: str, default: int, *, help: str, minimum: int = 0, maximum: int | None = None
) -> int:
    """A whole number in these bounds; raises ImproperlyConfigured for anything else."""
    value = text(name, str(default), help=help)
    is_whole = value.isascii() and value.isdigit()
    if not is_whole or int(value) < minimum or (maximum and int(value) > maximum):
        bounds = f"from {minimum} to {maximum}" if maximum else f"from {minimum} on"
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number {bounds}.")
    return int(value)


def address(name: str, default: str = "", *, schemes: Sequence[str], help: str) -> str:
    """An address with a host (or a path, for a socket); raises ImproperlyConfigured otherwise."""
    return checked_address(name, text(name, default, help=help), schemes)


def checked_address(name: str, value: str, schemes: Sequence[str]) -> str:
    """The value again; raises ImproperlyConfigured, without it, when it is no such address.

    What is refused is not repeated: it may hold a password.
    """
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in schemes and bool(parts.hostname or parts.path)
        is_address = is_address and parts.port != 0
    except ValueError:
        is_address = False
    if value and not is_address:
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(
            f"{name} is not an address; write the whole of it, beginning with {begins}."
        )
    return value


def secret(name: str, *, help: str) -> str:
    """The variable, or the content of the file that `NAME_FILE` names.

    Raises ImproperlyConfigured when that file cannot be read, or is empty; the message holds only
    its path.
    """
    VARIABLES[name] = Variable(name, "", help)
    if value := os.environ.get(name, "").strip():
        return value
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return ""
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path}, which cannot be read: {error.strerror}."
        ) from error
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which holds no text.") from None
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which is empty.")
    return value
