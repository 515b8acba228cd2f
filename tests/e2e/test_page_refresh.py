"""Pages that are open show what is written meanwhile, as long as somebody wants that, and hold up no server."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gembill.ledger import Ledger, open_ledger
from tests.e2e.browsing import DRAWN, serving, started, tab
from tests.gembill_reports.making import call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
CALLS = "#sums tfoot td:nth-child(2)"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    put(opened, call("2026-11-02T10:00:00+00:00", (10, 20, 30)), call("2026-11-03T10:00:00+00:00", (10, 20, 30)))
    yield opened
    opened.close()


def test_an_open_page_shows_a_new_call_where_it_is_and_can_be_told_not_to(
    browser: Any, ledger: Ledger, tmp_path: Path
) -> None:
    with serving(ledger, tmp_path, NOW) as home, tab(browser, home) as open_page:
        page = open_page.page
        page.set_default_timeout(60_000)
        open_page.go("/?month=2026-11")
        assert re.search(r"As of 2026-11-21 01:00:00 -08:00 · newest call 2026-11-03 02:00", open_page.text())
        page.evaluate(
            "window.__same = document.querySelector('figure[data-chart=cost_by_time] .plot'); scrollTo(0, 200)"
        )
        page.focus("tbody a >> nth=0")
        scrolled = page.evaluate("scrollY")
        with page.expect_request("**/live?since=*"):
            page.evaluate("dispatchEvent(new Event('pagehide')); dispatchEvent(new Event('pageshow'))")
        put(ledger, call("2026-11-04T10:00:00+00:00", (10, 20, 30)))
        page.wait_for_selector(f"{CALLS}:text-is('3')")
        page.wait_for_selector(DRAWN)
        assert page.evaluate("document.querySelector('figure[data-chart=cost_by_time] .plot') === window.__same")
        assert abs(page.evaluate("scrollY") - scrolled) < 20 < scrolled
        assert page.evaluate("document.activeElement.matches('tbody a')")
        page.uncheck("#live")
        open_page.go("/?month=2026-11")  # it is remembered
        assert not page.is_checked("#live")
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        put(ledger, call("2026-11-05T10:00:00+00:00", (10, 20, 30)))
        page.click("text=Refresh")
        page.wait_for_selector(f"{CALLS}:text-is('4')")
        assert not any("/live" in one for one in asked)
        assert open_page.troubles() == []


def test_a_page_that_listens_does_not_keep_the_server_from_ending(ledger: Ledger, tmp_path: Path) -> None:
    with started(ledger, tmp_path) as home:
        line = http.client.HTTPConnection(home.removeprefix("http://"), timeout=60)
        line.request("GET", "/live?since=x")
        answer = line.getresponse()
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert b"retry" in answer.readline()
    assert answer.read().count(b"event: change") == 1  # and then the end; `started` waits for the process
    line.close()
