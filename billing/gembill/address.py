"""Where we listen.

Owns: which addresses only this machine can reach, and taking a port in one clear sentence or not at all. Owns no server
and no decision who may listen elsewhere. Invariant: a name that is not known to be loopback counts as reachable.
"""

import ipaddress
import socket

from gembill.errors import ConfigurationError


def loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int, *, backlog: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. ConfigurationError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port"
        ) from None
