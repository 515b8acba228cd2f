"""The dashboard in a real browser: it loads clean, its links lead on, and nothing hostile runs."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from gembill.ledger import Ledger, open_ledger
from gembill.model import ApiError, Status
from tests.e2e.browsing import DRAWN, Watched, choose, serving, started, tab
from tests.e2e.month import NOW, PAGES
from tests.e2e.payloads import PAYLOADS
from tests.gembill_reports.making import FLASH, OK, PRO, call, put


def test_every_page_loads_without_errors_outside_requests_or_violations(watched: Watched) -> None:
    for path in PAGES:
        watched.go(path)
        assert watched.troubles() == [], path
        assert watched.page.inner_text("h1"), path


def test_the_overview_of_a_cold_start_shows_charts_and_transfers_little(
    browser: Any, books: Ledger, tmp_path: Path
) -> None:
    with started(books, tmp_path) as home, tab(browser, home) as cold:
        cold.go("/?month=2026-11")
        assert cold.page.locator("figure[data-drawn] .plot svg").count() > 0
        received = cold.page.evaluate(
            "['navigation', 'resource'].flatMap(k => performance.getEntriesByType(k))"
            ".reduce((sum, one) => sum + one.transferSize, 0)"
        )
        assert cold.troubles() == []
    assert 1_000_000 < received < 1_500_000


def test_a_filter_changes_figures_and_address_and_the_back_button_undoes_it(watched: Watched) -> None:
    watched.go("/")
    spend = "li.card strong"
    whole = watched.page.inner_text(spend)
    choose(watched, PRO)
    part = watched.page.inner_text(spend)
    assert part != whole
    watched.page.go_back()
    watched.page.wait_for_url(lambda url: "model=" not in url)
    watched.page.wait_for_selector(f'{spend}:has-text("{whole}")')
    watched.page.go_forward()
    watched.page.wait_for_selector(f'{spend}:has-text("{part}")')
    watched.page.wait_for_selector(DRAWN)
    choose(watched, FLASH)  # the two are all that this figure has
    watched.page.wait_for_selector(f'{spend}:has-text("{whole}")')
    choose(watched, PRO)
    assert watched.page.inner_text(spend) not in {whole, part}
    assert watched.troubles() == []


def test_several_models_and_labels_are_chosen_with_the_keyboard(watched: Watched) -> None:
    watched.go("/models?month=2026-11")
    watched.page.focus("details[data-pick=model] summary")
    for key in ("Enter", "Tab", "Tab", "Space"):
        watched.page.keyboard.press(key)
    watched.page.wait_for_url(re.compile("model="))
    assert watched.page.evaluate("document.activeElement.checked")  # the focus is where it was, in the new page
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.press("Space")
    watched.page.wait_for_selector("ul.chips li:nth-child(2)")
    watched.page.keyboard.press("Escape")
    assert watched.page.locator("details[data-pick][open]").count() == 0
    assert watched.page.inner_text("details[data-pick=model] summary") == "2 models"
    watched.page.click("ul.chips li:nth-child(1) a")
    watched.page.wait_for_selector("ul.chips li:only-child")
    assert watched.page.url.count("model=") == 1
    assert watched.troubles() == []


def test_no_column_is_cut_at_usual_widths(browser: Any, home: str) -> None:
    with tab(browser, home) as window:
        for path in PAGES:
            window.go(path)
            for width in (1920, 1440, 1280):
                window.page.set_viewport_size({"width": width, "height": 900})
                wide, cut = window.page.evaluate(
                    "[innerWidth, [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length]"
                )
                assert (wide, cut) == (width, 0), path


def test_the_list_of_calls_fits_whatever_error_the_api_gave(browser: Any, tmp_path: Path) -> None:
    labels = {"job": "nightly-1", "team": "web-search"}
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for code, status in ((401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"), (504, "DEADLINE_EXCEEDED")):
        error = ApiError(code=code, status=status, kind=None)
        put(ledger, call("2026-11-09T10:00:00+00:00", None, status=Status.ERROR, error=error, labels=labels))
    put(ledger, call("2026-11-09T10:00:00+00:00", (10, 130, 149), PRO, outcomes=[OK], labels=labels))
    put(ledger, call("2026-11-09T10:00:00+00:00", (10, 130, 149), FLASH, outcomes=[OK], labels=labels))
    with serving(ledger, tmp_path, NOW) as home, tab(browser, home) as window:
        window.page.set_viewport_size({"width": 1280, "height": 900})
        window.go("/calls?month=2026-11")
        cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
        assert window.page.evaluate(cut) == 0
    ledger.close()


def test_a_period_is_one_click_away(watched: Watched) -> None:
    watched.go("/models?month=2026-11")
    watched.page.click("nav.periods a:has-text('Last month')")
    watched.page.wait_for_url(re.compile("period=last-month"))
    assert watched.page.locator("nav.periods a[aria-current]").inner_text() == "Last month"


def test_choosing_a_month_leaves_the_range(watched: Watched) -> None:
    watched.go("/?since=2026-11-03&until=2026-11-05")
    watched.page.select_option("select[name=month]", "2026-10")
    watched.page.wait_for_url(re.compile("month=2026-10"))
    assert "since" not in watched.page.url
    assert "2026-10 ·" in watched.page.inner_text("h1")


def test_without_javascript_everything_is_there(browser: Any, home: str) -> None:
    with tab(browser, home, java_script_enabled=False) as plain:
        for path in PAGES:
            plain.go(path, drawn=False)
            assert plain.console == [], path
        plain.go("/", drawn=False)
        assert plain.page.locator("li.card").count() >= 7
        assert plain.page.locator("tbody tr").count() > 20
        plain.page.click("a.col >> nth=2")
        assert "/calls?" in plain.page.url
        plain.page.select_option("select[name=trouble]", "unpriced")
        for team in "ab":
            plain.page.click("details[data-pick=label] summary")
            plain.page.check(f"input[name=label][value='team={team}']")
            plain.page.click("#filter button[type=submit]")
            assert f"label=team%3D{team}" in plain.page.url
        assert plain.page.locator("ul.chips li").count() == 2
        plain.page.click("details[data-pick=label] summary")
        plain.page.click("details[data-pick=label] .options a")
        plain.page.select_option("select[name=trouble]", "unpriced")
        plain.page.fill("input[name=since]", "2026-11-01")
        plain.page.fill("input[name=through]", "2026-11-30")
        plain.page.click("#filter button[type=submit]")
        assert "nobody-knows" in plain.page.inner_text("tbody")


def test_nothing_overflows_on_a_phone(browser: Any, home: str) -> None:
    with tab(browser, home, viewport={"width": 400, "height": 800}) as phone:
        for path in PAGES:
            phone.go(path)
            assert phone.page.evaluate("document.documentElement.scrollWidth") <= 400, path


def test_the_calls_go_on_by_key(watched: Watched) -> None:
    watched.go("/calls?since=2026-01-01&until=2027-01-01&sort=cost")
    first = watched.page.locator("tbody a").evaluate_all("all => all.map(a => a.pathname)")
    assert len(first) == 47  # one page: there is no next
    assert watched.page.locator("a[rel=next]").count() == 0


def test_fifty_hostile_texts_run_nothing(browser: Any, tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'hostile.db'}")
    for n, text in enumerate(PAYLOADS):
        at = f"2026-11-{1 + n % 20:02d}T10:00:00+00:00"
        put(
            ledger,
            call(
                at,
                (10, 20, 30),
                text,
                labels={"team": text, text[:40]: "x"},
                key=text,
                conversation=text,
                turns=2,
                flags=(text,),
            ),
            call(
                at,
                None,
                text,
                status=Status.ERROR,
                error=ApiError(code=text, status=text, kind=text),
                anomalies=(text,),
            ),
        )
    assert len(set(PAYLOADS)) >= 50
    with serving(ledger, tmp_path, NOW) as url, tab(browser, url) as hostile:
        rows = (
            "/calls?sort=cost",
            "/calls?trouble=error",
            f"/labels?name={'%3Cscript%3E'}",
            *(f"/?{urlencode({'label': f'team={text}'})}" for text in PAYLOADS[:5]),
        )
        for path in (*PAGES, *rows):
            hostile.go(path)
            assert hostile.troubles() == [], path
            assert hostile.page.evaluate("window.__ran") is None, path
        hostile.go("/?label=team%3D%3Cscript%3Ewindow.__ran%3D1%3C/script%3E!")  # no call has it: it is refused
        assert "no call has the label 'team=<script>window.__ran=1</script>!'" in hostile.text()
        assert hostile.page.evaluate("window.__ran") is None
        hostile.go("/calls")
        assert "<script>window.__ran=1</script>" in hostile.text()
        hostile.page.click("tbody tr:first-child a")
        hostile.page.wait_for_selector("h1:has-text('Receipt')")
        assert hostile.page.evaluate("window.__ran") is None
    ledger.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility checker of the npm package axe-core, fetched for this run alone."""
    npm = shutil.which("npm")
    if npm is None or os.environ.get("GEMBILL_OFFLINE"):
        pytest.skip("npm is not there, so accessibility was not checked")
    folder = tmp_path_factory.mktemp("axe")
    fetched = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", "axe-core@4"],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if fetched.returncode or not source.exists():
        pytest.skip("axe-core could not be fetched, so accessibility was not checked")
    return source.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Any, home: str, axe: str, scheme: str) -> None:
    with tab(browser, home, color_scheme=scheme) as seen:
        seen.go("/calls")
        receipt = seen.page.locator("tbody a").first.get_attribute("href")
        for path in (*PAGES, receipt):
            seen.go(path)
            seen.page.evaluate("document.querySelectorAll('details.pick').forEach(e => { e.open = true; })")
            seen.page.evaluate(axe)
            violations = seen.page.evaluate(
                "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 90)).join(' ')))"
            )
            assert violations == [], path
