"""The way of an upload's second request: back through the proxy.

Owns: the rewriting of `X-Goog-Upload-URL` in an answer (contract.md, The proxy and the bytes; wire.md 5.6): SDKs
send the bytes of a file straight to the address it names. Owns no path: the front door lets uploads in.
Invariant: only an address of the upstream itself is rewritten, scheme and host alone; the host is what the client
called us by, so that nobody is sent anywhere new.
"""

import re

from gembill.capture.attribution import Header
from gembill.errors import ConfigurationError
from gembill.upstream import Origin

_NAME = b"x-goog-upload-url"
_ADDRESS = re.compile(rb"(https?://[^/?#@\\\s]+)(/[^\s]*)", re.IGNORECASE)


def homeward(headers: list[Header], origin: Origin, host: bytes) -> list[Header]:
    """The answer's headers with the upload address at `host`, where it was at the upstream's own."""
    return [(name, _rewritten(value, origin, host) if name.lower() == _NAME else value) for name, value in headers]


def _rewritten(address: bytes, origin: Origin, host: bytes) -> bytes:
    found = _ADDRESS.fullmatch(address)
    if found is None or not host or not _is_at(found[1], origin):
        return address
    return b"http://" + host + found[2]


def _is_at(address: bytes, origin: Origin) -> bool:
    try:
        return Origin.parse(address.decode("ascii", "replace")) == origin
    except ConfigurationError:
        return False
