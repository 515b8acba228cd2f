"""Signing in, in a real browser: the keyboard is enough, nothing else is shown before, and nobody else can do it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gembill.ledger import open_ledger
from tests.e2e.browsing import serving, tab
from tests.gembill_reports.making import call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
TOKEN = "0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[str]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    put(ledger, call("2026-11-02T10:00:00+00:00", (10, 20, 30)))
    with serving(ledger, tmp_path, NOW, token=TOKEN) as url:
        yield url
    ledger.close()


@pytest.mark.parametrize("script", [True, False])
def test_the_token_opens_the_page_that_was_asked_for(browser: Any, home: str, *, script: bool) -> None:
    with tab(browser, home, java_script_enabled=script) as visitor:
        page = visitor.page
        page.goto(f"{home}/models?month=2026-11&tz=UTC")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        assert "not a token" in page.inner_text("#problem")
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Models')")
        assert page.url == f"{home}/models?month=2026-11&tz=UTC"
        page.click("text=Sign out")
        page.wait_for_selector("#token")
        assert all("401" in said for said in visitor.console)  # how Chromium notes a page that asks for a token
        assert visitor.outside == []


@pytest.mark.parametrize("script", [True, False])
def test_a_view_is_saved_under_a_name_and_found_again(browser: Any, home: str, *, script: bool) -> None:
    with tab(browser, home, java_script_enabled=script) as visitor:
        page = visitor.page
        page.goto(f"{home}/?token={TOKEN}")
        page.goto(f"{home}/calls?month=2026-11&tz=UTC&sort=cost")
        page.focus("details.views summary")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("Most expensive <first>")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Calls')")
        page.goto(f"{home}/models?month=2026-11")
        page.click("details.views summary")
        page.click("text=Most expensive <first>")
        page.wait_for_selector("h1:has-text('Calls')")
        assert page.url == f"{home}/calls?month=2026-11&tz=UTC&sort=cost"
        assert visitor.console == []


@pytest.mark.parametrize("script", [True, False])
def test_the_keyboard_alone_leads_from_a_days_row_to_a_receipt(browser: Any, home: str, *, script: bool) -> None:
    with tab(browser, home, java_script_enabled=script) as visitor:
        page = visitor.page
        page.goto(f"{home}/?token={TOKEN}")
        page.goto(f"{home}/?month=2026-11")
        assert tabbed_to(page, "#days tbody a")  # the twin of the bars
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Calls')")
        assert tabbed_to(page, "tbody a")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Receipt')")
        assert visitor.console == []


def tabbed_to(page: Any, where: str) -> bool:
    """Press Tab until the focus is at such a place; False if it does not come there."""
    target = page.locator(where).first.element_handle()
    for _ in range(150):
        page.keyboard.press("Tab")
        if target.evaluate("e => e === document.activeElement"):
            return True
    return False


def test_a_page_of_another_place_cannot_sign_in_or_out(browser: Any, home: str, tmp_path: Path) -> None:
    with tab(browser, home) as visitor:
        page = visitor.page
        page.goto(f"{home}/?token={TOKEN}")
        page.goto(f"data:text/html,<form method=post action='{home}/sign-out'><button>go</button></form>")
        page.click("button")
        page.wait_for_selector("text=a form is taken from a page of this dashboard only")
        page.goto(home)
        page.wait_for_selector("h1:has-text('Overview')")
