"""The origin that calls go to.

Owns: reading and writing it. Not here: connections to it. Invariant: it is scheme, host and port and no more, and what
is said about an address that is not one does not quote it.
"""

import re
from dataclasses import dataclass

from gembill.errors import ConfigurationError

_PORTS = {"https": 443, "http": 80}
_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host (in brackets when an IPv6 address) and port: all that decides where bytes go."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "Origin":
        """Read `https://host[:port]`. Raises `ConfigurationError`, without the text, which may hold a secret."""
        match = _ORIGIN.fullmatch(url)
        if match is None:
            raise ConfigurationError(f"The upstream must be http(s)://host[:port] and no more, but {_excess(url)}.")
        scheme, host = match[1].lower(), match[2].lower()
        port = int(match[3]) if match[3] else _PORTS[scheme]
        if not 0 < port < 65536:
            raise ConfigurationError(f"The upstream's port must be within 1 and 65535, not {port}.")
        if any(not 0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
            raise ConfigurationError("The upstream's host has an empty label, or one of over 63 characters.")
        return cls(scheme, host, port)

    @property
    def host_header(self) -> bytes:
        """The `Host` value: with the port only when it is not the scheme's own (RFC 9110 7.2)."""
        default = self.port == _PORTS[self.scheme]
        return (self.host if default else f"{self.host}:{self.port}").encode("ascii")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header.decode('ascii')}"


def _excess(url: str) -> str:
    if "://" not in url:
        return "it has no scheme"
    if "@" in url:
        return "it names a user"
    if "?" in url or "#" in url:
        return "it has a query or a fragment"
    return "it has a path" if url.count("/") > 2 else "its scheme, host or port is not one"
