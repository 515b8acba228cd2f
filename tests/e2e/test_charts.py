"""Charts in a real browser: a bar tells what it is and leads to its calls, and names on an axis do not overlap."""

import re
from itertools import chain, pairwise
from typing import Any

import pytest

from tests.e2e.browsing import Watched, tab


def test_pointing_at_a_bar_tells_its_day_meters_tokens_dollars_and_shares(watched: Watched) -> None:
    watched.go("/?month=2026-11")
    for chart, heads in (("cost_by_time", "Tokens"), ("outcomes", "Executions"), ("cost_by_group", "Tokens")):
        bar = watched.page.locator(f"figure[data-chart={chart}] .barlayer .point path").nth(1)
        bar.scroll_into_view_if_needed()
        tip = watched.page.locator(f"#tip:not([hidden]) th:has-text('{heads}')")
        for step in range(100):  # a hand moves on; Plotly takes no notice of one movement while it draws
            bar.hover(force=True, position={"x": 3 + step % 2, "y": 3})
            watched.page.wait_for_timeout(200)
            if tip.count():
                break
        assert tip.count()
        told = watched.page.inner_text("#tip")
        assert "Cost" in told
        assert "Share" in told
        assert "%" in told
        watched.page.mouse.move(0, 0)
        watched.page.wait_for_selector("#tip", state="hidden")
    assert watched.troubles() == []


def test_a_bar_tells_again_after_the_page_was_scrolled_under_the_pointer(watched: Watched) -> None:
    watched.go("/?month=2026-11")
    bar = watched.page.locator("figure[data-chart=cost_by_time] .barlayer .point path").nth(1)
    bar.scroll_into_view_if_needed()
    watched.page.wait_for_timeout(300)
    bar.hover(force=True, position={"x": 3, "y": 3})
    watched.page.wait_for_selector("#tip:not([hidden])")
    watched.page.evaluate("dispatchEvent(new Event('scroll'))")
    watched.page.wait_for_selector("#tip", state="hidden")
    bar.hover(force=True, position={"x": 5, "y": 3})
    watched.page.wait_for_selector("#tip:not([hidden])")


@pytest.mark.parametrize("script", [True, False])
def test_no_names_on_an_axis_overlap(browser: Any, home: str, *, script: bool) -> None:
    days = ("/?month=2026-11", "/?since=2026-11-05&through=2026-11-05", "/?since=2026-11-04&through=2026-11-06")
    for width in (390, 1280, 1440, 1920):
        with tab(browser, home, viewport={"width": width, "height": 900}, java_script_enabled=script) as window:
            for path in (*days, "/executions?month=2026-11", "/changes?month=2026-11"):
                window.go(path, drawn=script)
                axes = window.page.locator(".xaxislayer-above" if script else "figure:first-of-type .axis").all()
                spans = [axis.locator("text" if script else "span").evaluate_all(_TEXTS) for axis in axes]
                assert all(spans), (width, path)
                assert spans or (not script and path.startswith("/changes")), (
                    "bars that lie across have an axis by script"
                )
                for (_, end), (start, _) in chain.from_iterable(pairwise(sorted(boxes)) for boxes in spans):
                    assert end <= start + 1, (width, path, spans)


_TEXTS = """all => all.filter(e => e.textContent.trim() && getComputedStyle(e).visibility === 'visible').map(e => {
    const range = document.createRange(); range.selectNodeContents(e);
    const box = range.getBoundingClientRect(); return [box.left, box.right]; })"""


def test_a_bar_leads_to_its_calls_and_a_call_to_its_receipt(watched: Watched) -> None:
    watched.go("/")
    bar = watched.page.locator("figure[data-chart=cost_by_time] .barlayer .point path").nth(2)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    watched.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    watched.page.wait_for_url(re.compile(r"/calls\?.*since=2026-11-03&until=2026-11-04"))
    watched.page.wait_for_selector("h1:has-text('Calls')")
    assert watched.page.locator("tbody tr").count() == 2
    watched.page.click("tbody tr:first-child a")
    watched.page.wait_for_selector("h1:has-text('Receipt')")
    watched.page.wait_for_selector("figure[data-chart=waterfall][data-drawn]")
    assert "intermediate" in watched.text()
    assert watched.troubles() == []
