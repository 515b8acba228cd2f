"""The client towards the API: HTTP/1.1 that passes bytes as they are.

Owns: connections, what goes out on them and what comes in. Not here: the meaning of a body. Invariant: bytes are
altered nowhere, and all of them go to the one origin.

`client` is the way in. Behind it: `origin` (where to), `connection` (one connection and the answer it receives),
`wire_state` (what the system knows of it), `response` (that answer as it is read), `request` (a request on its way),
`egress` (which proxy of a company is between) and `tunnel` (the way through it).
"""

from gembill.upstream.client import ConnectFailed, ConnectTimedOut, NeverSent, Upstream
from gembill.upstream.connection import Limits
from gembill.upstream.egress import way_out
from gembill.upstream.origin import Origin
from gembill.upstream.request import HeadFields
from gembill.upstream.response import Response, ResponseHead

__all__ = [
    "ConnectFailed",
    "ConnectTimedOut",
    "HeadFields",
    "Limits",
    "NeverSent",
    "Origin",
    "Response",
    "ResponseHead",
    "Upstream",
    "way_out",
]
