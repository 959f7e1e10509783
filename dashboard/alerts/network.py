"""What a send does on the network: where it may connect to, and how far it came.

The library that sends does not tell. Python itself does, to an audit hook: each connection after
its name was resolved, just before it is made, and each time that something is handed over. So an
address is judged at the very moment it is used, whatever its name resolved to before, and of a send
that fails it is known whether the other side can have heard it.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

#: IPv6 addresses that stand for one of IPv4.
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class Forbidden(OSError):
    """Nothing is sent to this address."""


@dataclass
class Passage:
    """One send. `is_handed_over`: the message, or a part of it, left this process. `forbidden`: the
    address that it was kept from, "" when none was. `heard`: what the library said."""

    allow_private: bool
    is_handed_over: bool = False
    forbidden: str = ""
    heard: list[str] = field(default_factory=list)


passage: ContextVar[Passage | None] = ContextVar("passage", default=None)


@contextmanager
def watched(*, allow_private: bool) -> Iterator[Passage]:
    """Watches what this thread sends in the meantime, and keeps it from addresses that nobody
    meant: loopback, private and link-local ones."""
    _install()
    sending = Passage(allow_private)
    token = passage.set(sending)
    try:
        yield sending
    finally:
        passage.reset(token)


def is_public(address: str) -> bool:
    """Whether the IP address is one of the internet's, and nobody's private one in disguise."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in network for network in NAT64):
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if inside := found.ipv4_mapped or found.sixtofour:
            return is_public(str(inside))
    return found.is_global and not found.is_multicast


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Link-local addresses, where clouds keep their secrets, are never allowed."""
    if is_public(address):
        return True
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    is_reachable = found.is_private or found in ipaddress.ip_network("100.64.0.0/10")
    return allow_private and is_reachable and not found.is_link_local and not _is_mapped(found)


def _is_mapped(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None


@cache
def _install() -> None:
    """Once in a process, and only in one that sends: hooks cannot be taken away. A second one, of
    two threads that begin at once, does no harm."""
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _WATCHED:
        return
    sending = passage.get()
    if sending is not None:
        _WATCHED[event](sending, arguments)


def _connects(sending: Passage, arguments: tuple[Any, ...]) -> None:
    _, address = arguments
    host = str(address[0]) if isinstance(address, tuple) and address else "a local socket"
    if not is_allowed(host, allow_private=sending.allow_private):
        sending.forbidden = host
        raise Forbidden(f"Nothing is sent to {host}.")


def _sends_http(sending: Passage, _: tuple[Any, ...]) -> None:
    sending.is_handed_over = True


def _sends_mail(sending: Passage, arguments: tuple[Any, ...]) -> None:
    _, data = arguments
    command = data if isinstance(data, bytes) else str(data).encode(errors="replace")
    # Before DATA only names and addresses are exchanged, and nothing is sent for good.
    sending.is_handed_over |= command[:4].lower() == b"data"


_WATCHED = {
    "socket.connect": _connects,
    "socket.sendto": _connects,
    "socket.sendmsg": _connects,
    "http.client.send": _sends_http,
    "smtplib.send": _sends_mail,
}
