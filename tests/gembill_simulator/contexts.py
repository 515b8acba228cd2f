"""Request contexts for the tests of the surfaces: a request at a given second, without a server."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from gembill_simulator.context import RequestContext
from gembill_simulator.frames import Reply
from gembill_simulator.names import IdFactory
from gembill_simulator.options import Options, control
from gembill_simulator.routes import find

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
URL = "http://127.0.0.1:8788"


class ContextFactory:
    """Makes request contexts; each has a draw of its own."""

    def __init__(self, settings: Options | None = None) -> None:
        self.names = IdFactory(0)
        self._settings = settings or Options()
        self._numbers = itertools.count(1)

    def __call__(
        self, method: str, target: str, body: Any = None, *, second: float = 0, fault: str = "ok", **headers: str
    ) -> RequestContext:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        origin = self.names.origin(f"{method} {target}", raw)
        draw = self.names.draw(origin)
        now = START + timedelta(seconds=second)
        return RequestContext(
            find(method, target), sent, raw, self._settings, control(sent), origin, draw, now, URL, fault=fault
        )


def document(reply: Reply) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(b"".join(reply.frames))
    return body
