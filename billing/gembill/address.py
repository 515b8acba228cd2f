"""Addresses: those we listen on, and those we show.

Owns: which addresses only this machine can reach, taking a port in one clear sentence or not at all, and the form in
which an address may be printed. Not here: servers, and the decision who may listen elsewhere.
Invariants: a name that is not known to be loopback counts as reachable. What is shown of an address is what was
recognised as harmless, so that a form nobody thought of hides too much rather than too little.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    import socket
    from pathlib import Path

_HIDDEN = "***"
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*")
_USER = re.compile(r"[\w.%+-]*")
_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.-]*)(?::[0-9]+)?"
_HOSTS_AND_PATH = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/[\w.,~$%+/-]*)?")
_SHOWN_OPTIONS = {
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "port",
    "sslmode",
    "target_session_attrs",
    "user",
}
_SHOWN_VALUE = re.compile(r"[\w./,-]*")


def masked(address: str) -> str:
    """An address of a database or server as it may be shown: without a password, wherever in it one was written.

    The user's name stays, as do options that are known to be harmless, up to the first that is not. Where the parts
    cannot be told apart for certain, as with an unescaped `?` and `@` in a password, only the scheme is left.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return _HIDDEN
    place, question, query = rest.partition("?")
    if scheme.startswith("sqlite") and place.startswith("/"):  # a path, in which every character is allowed
        return f"{scheme}://{place}{question}{_masked_options(query)}"
    credentials, at, server = place.rpartition("@")  # the last one: an earlier one is part of a password
    user, colon, _ = credentials.partition(":")
    if "@" in query or not _USER.fullmatch(user) or not _HOSTS_AND_PATH.fullmatch(server):
        return f"{scheme}://{_HIDDEN}"
    return f"{scheme}://{user}{colon and ':' + _HIDDEN}{at}{server}{question}{_masked_options(query)}"


def _masked_options(query: str) -> str:
    """The options of an address up to the first that may be a secret: what follows that one may still be part of it."""
    options = query.split("&") if query else []
    shown = list(takewhile(_is_harmless, options))
    return "&".join([*shown, _HIDDEN] if len(shown) < len(options) else shown)


def _is_harmless(option: str) -> bool:
    name, _, value = option.partition("=")
    return name in _SHOWN_OPTIONS and _SHOWN_VALUE.fullmatch(unquote(value)) is not None


def of_file(file: Path) -> str:
    """The address of a ledger in a SQLite file, with what means something else in an address escaped."""
    return f"sqlite:///{str(file).replace('%', '%25').replace('?', '%3F')}"


def loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def bracketed(host: str) -> str:
    """A host as it is written before a port: an IPv6 address has brackets there."""
    return f"[{host}]" if ":" in host else host


def url_of(scheme: str, host: str, port: int) -> str:
    """The address of a server."""
    return f"{scheme}://{bracketed(host)}:{port}"


def from_here(url: str) -> str:
    """The address for programs of this machine: one that means all of its addresses can be listened on, not called."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:", 1).replace("//[::]:", "//[::1]:", 1)


def addresses(host: str) -> set[str]:
    """The addresses of a host, itself where it is one; none where it is not known."""
    import socket

    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def listen(host: str, port: int, *, backlog: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. ConfigurationError where the address cannot be had."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port"
        ) from None
