"""The dashboard's routes.

Owns: which address leads to which page, and the three forms of each. Not here: content, and safety (`guard`).
Invariant: a page, its `.json` and its `.csv` are one `Page`, drawn three ways; an error is a sentence and a status.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from gembill import price_catalog
from gembill.config import Settings
from gembill.errors import ConfigurationError, GembillError
from gembill.ledger import (
    Ledger,
    file_state,
    ledger_file,
    read_charges,
    read_mark,
    read_record,
    read_time_range,
    require_known,
)
from gembill.rules.budgets import Budget
from gembill.rules.prices import PriceBook, bundled
from gembill_reports.analysis.receipt import receipt, rounds_of
from gembill_reports.dashboard import (
    assets,
    bill_pages,
    budget_pages,
    call_pages,
    change_pages,
    conversation_pages,
    execution_pages,
    key_pages,
    price_pages,
    quality_pages,
    summary_pages,
)
from gembill_reports.dashboard.frame import MENU, Around, address, frame, is_page
from gembill_reports.dashboard.grids import arranged
from gembill_reports.dashboard.guard import HOLDER, LOOPBACK, App, Guard
from gembill_reports.dashboard.live import Live
from gembill_reports.dashboard.page import Page
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.dashboard.render import bare_frame, read_templates, render
from gembill_reports.dashboard.saved_views import FILE, SavedViews, link_of
from gembill_reports.dashboard.tokens import Holder, TokenFile
from gembill_reports.dashboard.view_routes import WRITES, ViewRoutes
from gembill_reports.layout.tables import csv_lines

_FORMS = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
_NOT_FOUND = 404


class Dashboard:
    """The pages over one ledger. `now_us` is the clock, `budgets` are those that the overview shows.

    `landing` is the month of a page whose address names no period; without one it is the newest with calls. `ended`
    says that the server ends, and with it whoever listens.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        now_us: Callable[[], int] | None = None,
        budgets: Sequence[Budget] = (),
        landing: str | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._budgets = tuple(budgets)
        self._landing = landing
        file = ledger_file(settings.ledger_url)
        self._live = Live(partial(read_mark, ledger), partial(file_state, file) if file else None, ended)
        self._views = SavedViews(_views_file(settings), is_page)
        self._comparisons = bill_pages.Comparisons()
        self._now_us = now_us or (lambda: time.time_ns() // 1000)

    def app(self, hosts: tuple[str, ...] = LOOPBACK, token: str | None = None, named: TokenFile | None = None) -> App:
        """The ASGI application behind its guard."""
        pages: dict[str, Callable[[Ledger, PageQuery], Page]] = {
            "overview": self._overview,
            "changes": change_pages.changes,
            "models": summary_pages.models,
            "labels": summary_pages.label_page,
            "keys": key_pages.keys,
            "executions": execution_pages.executions,
            "conversations": conversation_pages.conversations,
            "calls": call_pages.calls,
            "budgets": lambda ledger, shown: budget_pages.budget_page(ledger, shown, self._budgets),
            "bill": lambda ledger, shown: bill_pages.bill_page(ledger, shown, self._book(), self._comparisons),
            "prices": lambda _, shown: price_pages.prices(self._book(), shown),
            "quality": lambda ledger, shown: quality_pages.quality_page(
                ledger, shown, self._book(), self._settings.spool_dir
            ),
        }
        routes = [Route("/", partial(self._answer, pages["overview"], "html")), Route("/favicon.ico", _icon)]
        for name, page in pages.items():
            routes += [Route(f"/{name}", partial(self._answer, page, "html"))]
            routes += [Route(f"/{name}.{form}", partial(self._answer, page, form)) for form in _FORMS]
        routes += [Route(f"/calls/{{record_id}}.{form}", partial(self._call, form)) for form in _FORMS]
        routes += [Route("/calls/{record_id}", partial(self._call, "html")), Route("/static/{name}", assets.static)]
        routes += [Route("/live", self._live.answer), *ViewRoutes(self._views, self._problem).routes()]
        served = Starlette(
            routes=routes,
            middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
            exception_handlers={404: lambda *_: self._problem(_NOT_FOUND, "There is no such page.")},
            lifespan=_warmed,
        )
        return Guard(served, hosts, token, named=named, writes=WRITES)

    def _answer(self, page: Callable[[Ledger, PageQuery], Page], form: str, request: Request) -> Response:
        try:
            extent = read_time_range(self._ledger)
            shown = view(request.query_params.multi_items(), self._now_us(), extent, landing=self._landing)
            require_known(self._ledger, shown.selection)
            if form in _DATA:
                return _DATA[form](page(self._ledger, shown))
            mark = read_mark(self._ledger)  # before the page: what is written meanwhile is a change
            around = Around(extent, mark, request.scope.get(HOLDER))
            return self._html(page(self._ledger, shown), shown, around)
        except _Missing:
            return self._problem(_NOT_FOUND, "The ledger has no such call.")
        except ConfigurationError as error:
            return self._problem(400, f"{error}.")
        except GembillError as error:
            return self._problem(500, f"{error}.")

    def _call(self, form: str, request: Request) -> Response:
        return self._answer(partial(self._receipt, request.path_params["record_id"]), form, request)

    def _receipt(self, record_id: str, ledger: Ledger, shown: PageQuery) -> Page:
        stored = read_record(ledger, record_id)
        if stored is None:
            raise _Missing
        posted = read_charges(ledger, stored)
        named = price_catalog.rows_of(ledger, self._settings, (one.charge.price_id for one in posted))
        return call_pages.one_call(receipt(stored, posted, named, rounds_of(ledger, stored)), shown)

    def _overview(self, ledger: Ledger, shown: PageQuery) -> Page:
        book = self._book()
        page = summary_pages.overview(ledger, shown, book, self._budgets)
        card = bill_pages.bill_card(ledger, shown, book, self._comparisons)
        return page if card is None else replace(page, cards=(*page.cards, card))

    def _book(self) -> PriceBook:
        return price_catalog.book_in_force(self._ledger, self._settings)

    def _html(self, page: Page, shown: PageQuery, around: Around) -> Response:
        content = {key: getattr(page, key) for key in ("cards", "charts", "notes", "more")}
        content["grids"] = [arranged(grid, shown, address(page)) for grid in page.grids]
        return HTMLResponse(
            render(page.template, content | frame(self._ledger, page, shown, around) | self._saved(around.holder))
        )

    def _saved(self, holder: Holder | None) -> dict[str, Any]:
        """The views that a page offers, and whether whoever asks may change them.

        A file that cannot be read is said to whoever saves or follows a view; it keeps no page from being shown.
        """
        names: list[str] = []
        with suppress(ConfigurationError):
            names += self._views.read()
        return {"views": [(name, link_of(name)) for name in names], "writes": holder is None or holder.writes}

    def _problem(self, status: int, sentence: str) -> Response:
        title = "There is a problem" if status != _NOT_FOUND else "Not found"
        frame = bare_frame(title, [(name, to, False) for name, to in MENU])
        return HTMLResponse(render("problem.html", frame | {"sentence": sentence}), status)


@asynccontextmanager
async def _warmed(_: Starlette) -> AsyncIterator[None]:
    """Do beside the first requests what they would wait for: read templates and prices, compress files."""
    warming = asyncio.create_task(asyncio.to_thread(_warm))
    yield
    await warming


def _warm() -> None:
    read_templates()
    bundled()
    assets.pack()


def _views_file(settings: Settings) -> Path | None:
    """Where saved views are kept; None for a user without a home who named no data folder."""
    with suppress(ConfigurationError):
        return settings.data_folder / FILE
    return None


class _Missing(Exception):
    """There is no such call."""


def _icon(_: Request) -> Response:
    return RedirectResponse(f"/static/{assets.asset('icon.svg').name}", 307)


def _json(page: Page) -> Response:
    return Response(json.dumps(page.data, indent=1) + "\n", media_type=_FORMS["json"])


def _csv(page: Page) -> Response:
    name = page.name.replace("/", "-")
    headers = {"content-disposition": f'attachment; filename="gembill-{name}.csv"'}
    return StreamingResponse(csv_lines(page.header, page.rows), headers=headers, media_type=_FORMS["csv"])


_DATA = {"json": _json, "csv": _csv}
