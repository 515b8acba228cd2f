"""Saving, following and deleting a view.

Owns: the addresses of saved views and their forms. Not here: what may be kept (`saved_views`), and who may write
(`guard`, which lets nobody else come here with a form). Invariant: after a form one is on a page again.
"""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gembill.errors import ConfigurationError
from gembill_reports.dashboard.guard import read_form
from gembill_reports.dashboard.saved_views import SavedViews

SAVE, DELETE, FOLLOW = "/views/save", "/views/delete", "/view"
WRITES = (SAVE, DELETE)
Problem = Callable[[int, str], Response]


class ViewRoutes:
    """Answers for saved views; `problem` makes the page of a mistake."""

    def __init__(self, views: SavedViews, problem: Problem) -> None:
        self._views, self._problem = views, problem

    def routes(self) -> list[Route]:
        """What is answered here."""
        return [
            Route(SAVE, self._save, methods=["POST"]),
            Route(DELETE, self._delete, methods=["POST"]),
            Route(FOLLOW, self._follow),
        ]

    async def _save(self, request: Request) -> Response:
        form = await read_form(request.receive)
        address = form.get("address", "")
        return await self._done(lambda: self._views.save(form.get("name", ""), address), address)

    async def _delete(self, request: Request) -> Response:
        form = await read_form(request.receive)
        back = form.get("address", "")
        return await self._done(lambda: self._views.delete(form.get("name", "")), back)

    async def _done(self, do: Callable[[], None], back: str) -> Response:
        try:
            await asyncio.to_thread(do)
        except ConfigurationError as error:
            return self._problem(400, f"{error}.")
        return RedirectResponse(back if self._views.fits(back) else "/", 303)

    def _follow(self, request: Request) -> Response:
        name = request.query_params.get("name", "")
        try:
            address = self._views.read().get(name)
        except ConfigurationError as error:
            return self._problem(500, f"{error}.")
        if address is None:
            return self._problem(404, f"There is no saved view named '{name}'.")
        return RedirectResponse(address, 303)
