"""The listening socket. The supervisor holds it, so a restart of the web server refuses nobody."""

from __future__ import annotations

import errno
import socket


class AddressTaken(Exception):
    """The address cannot be listened on; `str()` says why, in a sentence."""


def listen(bind: str, port: int) -> socket.socket:
    """A socket listening on this address; port 0 takes any free one. Raises AddressTaken."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise AddressTaken(f"BIND is {bind!r}, which is no address of this machine.") from error
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressTaken(_sentence(error, bind, port)) from error
    return listener


def _sentence(error: OSError, bind: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {bind} is taken by another program; choose another with PORT."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"BIND is {bind!r}, which is no address of this machine."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has; choose one above 1023 with PORT."
    return f"Cannot listen on port {port} of {bind}: {error.strerror}."


def url_of(listener: socket.socket) -> str:
    """The address to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  (compared with, not bound to)
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
