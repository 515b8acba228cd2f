"""Which way out: straight to an origin, or through the forward proxy of a company's network.

Owns: the variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, how a proxy's address is read, and the rule of
NO_PROXY. Not here: the connection itself (`tunnel`). Invariant: the password of a proxy is in no text and no `repr`.

The variables are read as curl and requests read them. Where the two differ: a name of NO_PROXY ends at a dot (curl; for
requests `le.com` would match `example.com`), with or without a dot in front it means itself and everything under it
(curl), and it can carry a port (requests).
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import unquote_to_bytes

from gembill.address import masked
from gembill.errors import ConfigurationError

STRAIGHT = "none"
"""The value of the setting `upstream_proxy` that means: through no proxy, whatever the variables say."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SERVER = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """A proxy that makes tunnels by CONNECT (RFC 9110 9.3.6).

    `host` is without brackets; `authorization` is the value of `Proxy-Authorization` (Basic, RFC 7617), None without
    credentials; `tls`: the proxy itself is spoken to by TLS; `shown` is its address without the password.
    """

    host: str
    port: int
    tls: bool
    authorization: bytes | None = field(repr=False)
    shown: str

    @classmethod
    def parse(cls, address: str, *, called: str) -> "ForwardProxy":
        """Read `[http[s]://][user[:password]@]host[:port][/]`; without a port it is the scheme's.

        Credentials are percent-decoded. ConfigurationError without the text, which may hold a password; it is `called`
        so.
        """
        match = _SCHEME.match(address)
        scheme = match[1].lower() if match else "http"
        if scheme.startswith("socks"):
            raise ConfigurationError(
                f"{called} names a SOCKS proxy, which is not supported; name an http or https proxy there, or "
                f"the API's host in NO_PROXY, or set GEMBILL_UPSTREAM_PROXY={STRAIGHT}"
            )
        rest = address[match.end() :] if match else address
        credentials, at, server = re.split(r"[/?#](?!.*@)", rest, maxsplit=1)[0].rpartition("@")
        place = _SERVER.fullmatch(server)
        port = int(place[2] or _PORTS.get(scheme, 0)) if place else 0
        if place is None or scheme not in _PORTS or not 0 < port < 65536:
            raise ConfigurationError(
                f"{called} is not the address of a proxy; write it like http://user:password@host:3128"
            )
        shown = masked(f"{scheme}://{credentials}{at}{place[1]}:{port}")
        return cls(place[1].strip("[]").lower(), port, scheme == "https", _basic(credentials) if at else None, shown)


def way_out(scheme: str, host: str, port: int, environ: Mapping[str, str], setting: str | None) -> ForwardProxy | None:
    """The proxy between us and an origin, None for the straight way. ConfigurationError for one that cannot be used.

    The setting counts alone: with it, neither the variables nor NO_PROXY are looked at.
    """
    if setting is not None:
        return None if setting == STRAIGHT else ForwardProxy.parse(setting, called="the setting upstream_proxy")
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable = _given(environ, name)
        if variable is not None:
            if bypassed(host, port, environ.get(_given(environ, "no_proxy") or "", "")):
                return None
            return ForwardProxy.parse(environ[variable].strip(), called=variable)
    return None


def bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY names a host (in brackets or not when it is an IPv6 address).

    An entry is `*`, a name, an address or a range of addresses such as `10.0.0.0/8`; a name or address can be followed
    by `:port`. Entries are separated by commas or blanks; one that is none of these matches nothing. Names are not
    looked up: a name never matches an address.
    """
    name = host.strip("[]").rstrip(".").lower()
    return any(_names(entry, name, port) for entry in re.split(r"[,\s]+", no_proxy.lower()))


def _names(entry: str, name: str, port: int) -> bool:
    if entry == "*":
        return True
    if _is_address(name):
        return _covers(entry, name, port)
    entry, colon, number = entry.partition(":")
    entry = entry.removeprefix("*").strip(".")
    return bool(entry) and (not colon or number == str(port)) and (name == entry or name.endswith("." + entry))


def _covers(entry: str, address: str, port: int) -> bool:
    """Whether an entry is this address, or a range that has it."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", entry)
    ported = re.fullmatch(r"([0-9.]+):(\d+)", entry)
    match = bracketed or ported
    if match is not None:
        entry = match[1]
        if match[2] is not None and match[2] != str(port):
            return False
    try:
        return ip_address(address) in ip_network(entry, strict=False)
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _given(environ: Mapping[str, str], name: str) -> str | None:
    """The variable that counts: the lower case one before the upper case one; an empty one counts as absent."""
    return next((each for each in (name, name.upper()) if environ.get(each, "").strip()), None)


def _basic(credentials: str) -> bytes:
    user, _, password = credentials.partition(":")
    return b"Basic " + b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password))
