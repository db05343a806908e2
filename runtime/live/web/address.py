"""Where the live page is served: `--web [ADDRESS:]PORT`, bound before anything starts."""

import errno
import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bad_input import BadInput

TOKEN_VARIABLE: Final = "BALLAST_WEB_TOKEN"

_OPTION: Final = "--web"
_LOOPBACK: Final = "127.0.0.1"
_SHORTEST_TOKEN: Final = 16


@dataclass(frozen=True)
class Place:
    """
    A socket that listens, and who may ask.

    Parameters
    ----------
    socket : socket
        It has the port from now on.
    host : str
        The address as the user gave it.
    public : bool
        Whether other machines reach it.
    token : str, optional
        What a person must know to halt, and on a public address to read; without one there is no control.

    """

    socket: socket.socket
    host: str
    public: bool
    token: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """What to open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.socket.getsockname()[1]}/"


def page_of(text: str | None, public: bool, *, trades: bool) -> Place | None:
    """
    Return where the command line wants the page; None for nowhere.

    Raises
    ------
    BadInput
        As `open_place`, and where there is nothing to look at.

    """
    if text is None:
        if public:
            raise BadInput("goes with --web", key="--web-public")
        return None
    if not trades:
        raise BadInput("shows a run, and a check alone is none", key=_OPTION)
    return open_place(text, public)


def open_place(text: str, public: bool, variables: Mapping[str, str] = os.environ) -> Place:
    """
    Bind an address and return it.

    Parameters
    ----------
    text : str
        `PORT` or `ADDRESS:PORT`; port 0 takes any that is free.
    public : bool
        Whether the user allows other machines to reach it.
    variables : mapping
        The environment, which has the token.

    Raises
    ------
    BadInput
        If it is no address, is taken, or other machines could read it without having to know anything.

    """
    host, port = _parse(text)
    token = variables.get(TOKEN_VARIABLE, "").strip() or None
    if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        problem = f"expected at least {_SHORTEST_TOKEN} letters and digits, such as `openssl rand -hex 16` prints"
        raise BadInput(problem, key=TOKEN_VARIABLE)
    family, address = _resolved(host, port)
    loopback = ipaddress.ip_address(address[0]).is_loopback
    if public is loopback:
        problem = "is this machine alone, which needs no --web-public" if public else "is reachable from other machines"
        hint = "give an address of the network, such as 0.0.0.0:8080" if public else "--web-public allows that"
        raise BadInput(f'"{host}" {problem}', key=_OPTION, hint=hint)
    if public and token is None:
        raise BadInput(f"set {TOKEN_VARIABLE}: other machines must know it to read the page", key="--web-public")
    return Place(_bound(family, address), host, public, token)


def _parse(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else _LOOPBACK
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadInput(f'was "{text}", expected PORT or ADDRESS:PORT, such as 8080', key=_OPTION)
    return host, int(port)


def _resolved(host: str, port: int) -> tuple[int, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise BadInput(f'was "{host}", which is no address of this machine', key=_OPTION) from None
    family, _, _, _, address = found[0]
    return family, (str(address[0]), port)


def _bound(family: int, address: tuple[str, int]) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen()
    except OSError as error:
        taken.close()
        host, port = address
        if error.errno == errno.EADDRINUSE:
            raise BadInput(f"port {port} of {host} is taken; 0 takes any that is free", key=_OPTION) from None
        raise BadInput(f"{host}:{port} cannot be had: {error.strerror}", key=_OPTION) from None
    taken.setblocking(False)
    return taken
