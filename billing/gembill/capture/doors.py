"""Who may knock: the names the proxy answers to, and the web pages that may ask.

Owns: the rules of `Host`, `Origin` and `Sec-Fetch-Site`, and whether a token is asked for. Not here: the token
(`caller_token`), and the shape of a head (`admission`, which asks here
once for heads that are alike). Invariant: a page that is not listed gets nothing forwarded and learns nothing, also
where its name was pointed at this machine (DNS rebinding). A program that is not a browser needs a known Host alone.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gembill.address import loopback
from gembill.capture.attribution import Header
from gembill.capture.caller_token import CallerToken
from gembill.errors import Refusal

_OURS = frozenset((b"none", b"same-origin"))  # typed into the address bar, or from a page of this very address
_PORT = re.compile(r":\d+\Z")
_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True, eq=False)  # compared and hashed as itself: it is a part of a cache's key
class Doors:
    """`names` are hosts in the form of `host_name`, None for any. `origins` are pages of the user's own, lower case.

    With a `token` callers from other machines have to show it.
    """

    names: frozenset[str] | None = None
    origins: frozenset[str] = frozenset()
    token: CallerToken | None = None

    def check(self, fields: Iterable[Header]) -> None:
        """Let a request in by the fields of its head, names lower case and Host checked for its form; else Refusal."""
        values: dict[bytes, list[str]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
        for name, value in fields:
            if name in values:
                values[name].append(value.decode("latin-1").strip(" \t").lower())
        hosts, origins, sites = values.values()
        if self.names is not None and not all(self._known(host_name(host)) for host in hosts):
            raise _foreign_host(hosts[0])
        own = {scheme + host for host in hosts for scheme in _SCHEMES if self.names is not None or _no_domain(host)}
        if not all(origin in self.origins or origin in own for origin in origins):
            raise _foreign_page()
        listed = bool(self.origins.intersection(origins))
        if not listed and not all(site.encode("latin-1") in _OURS for site in sites):
            raise _foreign_page()

    def _known(self, name: str) -> bool:
        return name in (self.names or ()) or loopback(name)


def doors_of(listening: str, hosts: Iterable[str], origins: Iterable[str], token: CallerToken | None = None) -> Doors:
    """The doors of a proxy that listens on an address.

    Its names are those of loopback, the address itself and `hosts`. Where other machines can reach it and no `hosts`
    are given it answers to any name, because no one but its owner knows what it is called there.
    """
    allowed = frozenset(map(host_name, hosts))
    listed = frozenset(origin.lower() for origin in origins)
    own = host_name(listening)
    if not allowed and not loopback(own):
        return Doors(None, listed, token)
    return Doors(allowed | {own}, listed, token)


def host_name(host: str) -> str:
    """A host without its port, lower case; an address in its one canonical form, without brackets."""
    bare = host.lower() if host.count(":") > 1 and not host.startswith("[") else _PORT.sub("", host.lower())
    try:
        return str(ipaddress.ip_address(bare.strip("[]")))
    except ValueError:
        return bare


def _no_domain(host: str) -> bool:
    """Whether a host is an address or a name without a dot, which no stranger can point at this machine."""
    name = host_name(host)
    return "." not in name or name.replace(".", "").isdecimal()


def _foreign_host(host: str) -> Refusal:
    return Refusal(
        403,
        "GEMBILL_HOST_NOT_ALLOWED",
        f"this proxy does not answer to the name {host_name(host)}; add it to the setting hosts (GEMBILL_HOSTS) if it "
        "is a name of this machine",
    )


def _foreign_page() -> Refusal:
    return Refusal(
        403,
        "GEMBILL_ORIGIN_NOT_ALLOWED",
        "a web page of another origin sent this; if the page is yours, add its origin (such as http://localhost:5173) "
        "to the setting origins (GEMBILL_ORIGINS)",
    )
