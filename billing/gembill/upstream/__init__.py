"""The way to the API: an HTTP/1.1 client that passes bytes as they are.

Owns: connections, what goes out on them and what comes in. Owns no meaning of a body. Invariant: bytes are altered
nowhere, and all of them go to the one origin.

`client` is the door. Behind it: `connection` (one connection and the answer it receives), `answer` (that answer as it
is read), `outgoing` (a request on its way).
"""

from gembill.upstream.client import (
    ConnectFailed,
    ConnectTimedOut,
    Limits,
    NeverSent,
    Origin,
    Response,
    ResponseHead,
    Upstream,
)

__all__ = ["ConnectFailed", "ConnectTimedOut", "Limits", "NeverSent", "Origin", "Response", "ResponseHead", "Upstream"]
