"""The dashboard's routes.

Owns: which address leads to which page, and the three forms of each. Not here: content, and safety (`guard`).
Invariant: a page, its `.json` and its `.csv` are one `Page`, drawn three ways; an error is a sentence and a status.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
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
    Selection,
    Total,
    holds_demo_data,
    read_charges,
    read_labels,
    read_record,
    read_time_range,
    read_totals,
    require_known,
)
from gembill.model import Api
from gembill.period import DEFAULT_ZONE
from gembill.rules.budgets import Budget
from gembill.rules.prices import PriceBook, bundled
from gembill_reports.analysis.receipt import receipt, rounds_of
from gembill_reports.dashboard import assets, call_pages, change_pages, quality_pages, summary_pages
from gembill_reports.dashboard.grids import arranged
from gembill_reports.dashboard.guard import LOOPBACK, App, Guard
from gembill_reports.dashboard.page import Page
from gembill_reports.dashboard.query import PageQuery, months, view
from gembill_reports.dashboard.render import bare_frame, read_templates, render
from gembill_reports.layout.tables import csv_lines
from gembill_reports.views.period_texts import words

_FORMS = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
_MENU = (
    ("Overview", "/"),
    ("What changed", "/changes"),
    ("Models", "/models"),
    ("Labels", "/labels"),
    ("Conversations", "/conversations"),
    ("Calls", "/calls"),
    ("Prices", "/prices"),
    ("Data quality", "/quality"),
)
_PERIODS = {
    "today": "Today",
    "last-7-days": "7 days",
    "last-30-days": "30 days",
    "this-month": "This month",
    "last-month": "Last month",
}
_HOME = {"/overview": "/"}
_FILTERED = ("overview", "changes", "models", "labels", "conversations", "calls", "quality")
_OWN = {"/calls": ("status", "trouble", "after", "dir", "find"), "/changes": ("against",)}  # asked for by its form
_NOT_FOUND = 404
_CHOICES = 200  # models or label values that a filter offers


class Dashboard:
    """The pages over one ledger. `now_us` is the clock, `budgets` are those that the overview shows.

    `landing` is the month of a page whose address names no period; without one it is the newest with calls.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        now_us: Callable[[], int] | None = None,
        budgets: Sequence[Budget] = (),
        landing: str | None = None,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._budgets = tuple(budgets)
        self._landing = landing
        self._now_us = now_us or (lambda: time.time_ns() // 1000)

    def app(self, hosts: tuple[str, ...] = LOOPBACK, token: str | None = None) -> App:
        """The ASGI application behind its guard."""
        pages: dict[str, Callable[[Ledger, PageQuery], Page]] = {
            "overview": lambda ledger, shown: summary_pages.overview(ledger, shown, self._book(), self._budgets),
            "changes": change_pages.changes,
            "models": summary_pages.models,
            "labels": summary_pages.label_page,
            "conversations": call_pages.conversation_list,
            "calls": call_pages.calls,
            "prices": lambda _, shown: quality_pages.prices(self._book(), shown),
            "quality": lambda ledger, shown: quality_pages.quality_page(ledger, shown, self._book()),
        }
        routes = [Route("/", partial(self._answer, pages["overview"], "html")), Route("/favicon.ico", _icon)]
        for name, page in pages.items():
            routes += [Route(f"/{name}", partial(self._answer, page, "html"))]
            routes += [Route(f"/{name}.{form}", partial(self._answer, page, form)) for form in _FORMS]
        routes += [Route(f"/calls/{{record_id}}.{form}", partial(self._call, form)) for form in _FORMS]
        routes += [Route("/calls/{record_id}", partial(self._call, "html")), Route("/static/{name}", assets.static)]
        served = Starlette(
            routes=routes,
            middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
            exception_handlers={404: lambda *_: self._problem(_NOT_FOUND, "There is no such page.")},
            lifespan=_warmed,
        )
        return Guard(served, hosts, token)

    def _answer(self, page: Callable[[Ledger, PageQuery], Page], form: str, request: Request) -> Response:
        try:
            shown = self._view(request)
            require_known(self._ledger, shown.selection)
            return self._drawn(page(self._ledger, shown), shown, form)
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

    def _view(self, request: Request) -> PageQuery:
        pairs = request.query_params.multi_items()
        return view(pairs, self._now_us(), read_time_range(self._ledger), landing=self._landing)

    def _book(self) -> PriceBook:
        return price_catalog.book_in_force(self._ledger, self._settings)

    def _drawn(self, page: Page, shown: PageQuery, form: str) -> Response:
        return _DATA[form](page) if form in _DATA else self._html(page, shown)

    def _html(self, page: Page, shown: PageQuery) -> Response:
        content = {key: getattr(page, key) for key in ("cards", "charts", "notes", "more")}
        content["grids"] = [arranged(grid, shown, _address(page)) for grid in page.grids]
        return HTMLResponse(render(page.template, content | self._frame(page, shown)))

    def _frame(self, page: Page, shown: PageQuery) -> dict[str, Any]:
        """What is around the content of every page."""
        path = f"/{page.name}"
        return {
            "title": page.title,
            "heading": f"{words(shown.period)} · {shown.period.timezone}",
            "menu": [(name, shown.to(to), to in (path, _HOME.get(path))) for name, to in _MENU],
            "home": shown.to("/"),
            "demo": holds_demo_data(self._ledger),
            "begins": read_time_range(self._ledger) is None,
            "json_link": shown.to(f"{path}.json", rest=True),
            "csv_link": shown.to(f"{path}.csv", rest=True),
            "assets": assets.names(),
            "filter": self._filter(_address(page), shown) if page.name in _FILTERED else None,
        }

    def _filter(self, action: str, shown: PageQuery) -> dict[str, Any]:
        """What the form of every page offers, and what is chosen in it."""
        known = _names(read_totals(self._ledger, Selection(), ("model", "service_tier", "api")))
        values = [f"{name}={value}" for name, known in read_labels(self._ledger).items() for value in known[:_CHOICES]]
        zones = dict.fromkeys(
            (DEFAULT_ZONE, "UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", shown.period.timezone)
        )
        own = _OWN.get(action, ("after",))
        chosen_model, chosen_label = shown.value("model"), shown.value("label")
        return {
            "action": action,
            "month": shown.month,
            "months": months(shown, read_time_range(self._ledger)),
            "days": shown.days,
            "since": shown.value("since"),
            "until": shown.value("until"),
            "periods": [(title, shown.named(action, word), shown.is_named(word)) for word, title in _PERIODS.items()],
            "model": chosen_model,
            "models": dict.fromkeys([*known["model"][:_CHOICES], *filter(None, [chosen_model])]),
            "tier": shown.value("tier"),
            "tiers": known["service_tier"],
            "location": shown.value("location"),
            "has_locations": Api.VERTEX.value in known["api"],
            "label": chosen_label,
            "labels": dict.fromkeys([*values[:_CHOICES], *filter(None, [chosen_label])]),
            "zones": zones,
            "tz": shown.period.timezone,
            "code_execution": shown.selection.code_execution,
            "kept": [*shown.also(), *((key, value) for key, value in shown.rest.items() if key not in own)],
        }

    def _problem(self, status: int, sentence: str) -> Response:
        title = "There is a problem" if status != _NOT_FOUND else "Not found"
        frame = bare_frame(title, [(name, to, False) for name, to in _MENU])
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


def _address(page: Page) -> str:
    """Where a page's own form and links lead."""
    return _HOME.get(f"/{page.name}", f"/{page.name}")


def _names(totals: Sequence[Total]) -> Mapping[str, list[str]]:
    """The names of each group that calls have, in the order of their text."""
    names: dict[str, set[str]] = defaultdict(set)
    for one in totals:
        for word, name in one.group.items():
            names[word].update([] if name is None else [str(name)])
    return defaultdict(list, {word: sorted(known) for word, known in names.items()})


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
