"""The page before there is a ledger."""

from collections.abc import Callable

import pytest

from gembill.errors import LedgerError
from gembill_reports.dashboard.guard import LOOPBACK, App
from gembill_reports.dashboard.waiting import Waiting
from tests.gembill_reports.dashboard.asking import ask


async def pages(_: object, __: object, send: Callable[..., object]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[misc]
    await send({"type": "http.response.body", "body": b"the pages"})  # type: ignore[misc]


def test_the_page_says_what_to_do_and_gives_way_to_the_ledgers_pages() -> None:
    opened: list[App] = []
    app = Waiting.until(lambda: opened[0] if opened else None, LOOPBACK, None)
    start = ask(app)
    assert start.status == 200
    assert "<title>No call yet · gembill</title>" in start.text
    assert all(words in start.text for words in ("gembill proxy", "GOOGLE_GEMINI_BASE_URL", "gembill dashboard --demo"))
    assert ask(app, "/calls").header("location") == "/"
    assert ask(app, "/static/none").status == 404
    opened.append(pages)  # type: ignore[arg-type]
    assert ask(app).text == "the pages"


def test_it_is_guarded_as_the_pages_are() -> None:
    app = Waiting.until(lambda: None, LOOPBACK, "0123456789abcdef")
    assert ask(app).status == 401
    assert ask(app, headers={"host": "elsewhere"}).status == 421


def test_a_ledger_that_is_just_being_made_is_waited_for_and_a_broken_one_is_said_at_the_start() -> None:
    def broken() -> App | None:
        raise LedgerError("it is at no revision")

    with pytest.raises(LedgerError):
        Waiting.until(broken, LOOPBACK, None)
    assert "gembill proxy" in ask(Waiting(broken)).text
