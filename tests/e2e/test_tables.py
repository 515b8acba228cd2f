"""Tables in a real browser: sorted and searched without a script, cards on a phone, a receipt by keyboard alone."""

from pathlib import Path
from typing import Any

from gembill.ledger import open_ledger
from tests.e2e.browsing import serving, tab
from tests.e2e.month import NOW, PAGES
from tests.gembill_reports.making import FLASH, PRO

PHONE = {"width": 390, "height": 844}
FIRST_CARD = "section.table tbody tr:first-child"


def first_cells(page: Any, table: str = "#sums") -> list[str]:
    return [text.strip() for text in page.locator(f"{table} tbody td:first-child").all_inner_texts()]


def test_a_table_is_sorted_searched_and_counted_without_a_script(browser: Any, home: str) -> None:
    with tab(browser, home, java_script_enabled=False) as plain:
        plain.go("/models?month=2026-11", drawn=False)
        page = plain.page
        assert page.inner_text("#sums .summary") == "3 models"
        page.click("#sums th a:has-text('Model')")
        assert first_cells(page) == [FLASH, PRO, "nobody-knows"]
        assert page.get_attribute("#sums th[aria-sort]", "aria-sort") == "ascending"
        page.click("#sums th a:has-text('Calls')")
        assert first_cells(page) == [FLASH, PRO, "nobody-knows"]
        page.fill("#sums input[type=search]", "pro")
        page.click("#sums .find button")
        assert first_cells(page) == [PRO]
        assert page.inner_text("#sums .summary") == "1 of 3 models"
        assert "sums.sort=calls.down" in page.url


def test_a_script_changes_only_how_it_gets_there(browser: Any, home: str) -> None:
    with tab(browser, home) as watched:
        watched.go("/calls?month=2026-11")
        watched.page.fill("input[name=find]", "nobody-knows")
        watched.page.keyboard.press("Enter")
        watched.page.wait_for_url(lambda url: "find=nobody-knows" in url)
        watched.page.wait_for_selector(".summary:has-text('1 call')")
        watched.page.click("th a:has-text('Cost')")
        watched.page.wait_for_url(lambda url: "sort=cost" in url and "find=nobody-knows" in url)
        watched.page.wait_for_selector("th[aria-sort]:has-text('Cost')")
        assert watched.troubles() == []


def test_rows_are_cards_with_the_money_first_on_a_phone(browser: Any, home: str) -> None:
    with tab(browser, home, viewport=PHONE) as phone:
        for path in PAGES:
            phone.go(path)
            assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            assert phone.page.evaluate(
                "[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)"
            ), path
        for path in (
            "/models?month=2026-11",
            "/calls?month=2026-11",
            "/keys?month=2026-11",
            "/executions?month=2026-11",
        ):
            phone.go(path)
            card = phone.page.locator(FIRST_CARD).first
            tops = card.locator("td").evaluate_all(
                "all => all.filter(e => e.offsetHeight).map(e => [e.offsetTop, e.innerText.trim()])"
            )
            assert min(tops)[1].startswith(("$", "unpriced", "unknown")), (path, tops)


def test_the_keyboard_alone_reaches_a_receipt_from_a_chart_s_table(browser: Any, home: str) -> None:
    with tab(browser, home) as watched:
        watched.go("/?month=2026-11")
        reach(watched.page, "2026-11-05")
        watched.page.keyboard.press("Enter")
        watched.page.wait_for_selector("h1:has-text('Calls')")
        reach(watched.page, "2026-11-05 ")
        watched.page.keyboard.press("Enter")
        watched.page.wait_for_selector("h1:has-text('Receipt')")
        assert watched.troubles() == []


def reach(page: Any, text: str) -> None:
    """Go from field to field until a link of a table that begins with this text has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate(
            "(t) => document.activeElement.matches('td a') && document.activeElement.innerText.startsWith(t)", text
        ):
            return
    raise AssertionError(f"no link that begins with {text!r} was reached")


def test_no_name_in_the_filter_is_cut_on_a_phone(browser: Any, home: str) -> None:
    with tab(browser, home, viewport=PHONE) as phone:
        for path in ("/", "/changes", "/calls"):
            phone.go(path)
            cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.name)"
            assert phone.page.eval_on_selector_all("#filter input:not([type=checkbox]), #filter select", cut) == [], (
                path
            )
        chip = phone.page.evaluate("""() => {
            const chips = Object.assign(document.createElement('ul'), { className: 'chips' });
            chips.innerHTML = `<li><a href="/">label team=${'long-'.repeat(40)}</a></li>`;
            document.querySelector('header').append(chips);
            return [document.documentElement.scrollWidth, innerWidth]; }""")
        assert chip[0] == chip[1]


def test_the_first_steps_fit_a_phone(browser: Any, tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    try:
        with serving(ledger, tmp_path, NOW) as home, tab(browser, home, viewport=PHONE) as phone:
            phone.go("/", drawn=False)
            assert "GOOGLE_GEMINI_BASE_URL" in phone.text()
            assert phone.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    finally:
        ledger.close()
