"""The dashboard before there is a ledger.

Owns: the page that says how to begin, and the moment from which the ledger's own pages are served. Not here: those
pages. Invariant: who is let in is decided by the same guard before and after; nothing is created by looking.
"""

import asyncio
import threading
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gembill.errors import GembillError
from gembill_reports.dashboard import assets
from gembill_reports.dashboard.guard import LOOPBACK, App, Guard, Receive, Scope, Send
from gembill_reports.dashboard.render import bare_frame, render
from gembill_reports.dashboard.tokens import TokenFile


class Waiting:
    """Serves the page that says how to begin until `there` gives the application over a ledger; then that one."""

    def __init__(
        self,
        there: Callable[[], App | None],
        hosts: tuple[str, ...] = LOOPBACK,
        token: str | None = None,
        named: TokenFile | None = None,
    ) -> None:
        self._there = there
        self._served: App | None = None
        self._lock = threading.Lock()
        routes = [
            Route("/static/{name}", assets.static),
            Route("/{path:path}", self._page),
        ]
        self._start = Guard(Starlette(routes=routes), hosts, token, named=named)

    @classmethod
    def until(
        cls,
        there: Callable[[], App | None],
        hosts: tuple[str, ...],
        token: str | None,
        named: TokenFile | None = None,
    ) -> App:
        """The application over the ledger if there is one now, else one that waits for it. What `there` raises now is
        raised here: a ledger that cannot be opened is a reason not to begin."""
        return there() or cls(there, hosts, token, named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the ledger's pages if there is a ledger by now."""
        if self._served is None and scope["type"] == "http":
            await asyncio.to_thread(self._look)
        await (self._served or self._start)(scope, receive, send)

    def _look(self) -> None:
        with self._lock:
            try:
                self._served = self._served or self._there()
            except GembillError:  # it is just being made: the next request asks again
                self._served = None

    def _page(self, request: Request) -> Response:
        if request.url.path != "/":
            return RedirectResponse("/", 307)
        return HTMLResponse(render("start.html", bare_frame("No call yet")))
