"""How soon a page shows its figures: the overview after a cold start, and a filter's choice, in a real browser.

Run by hand: `python -m tests.bench.bench_pages [TRIES]`. It looks at the demo's month. Cold means that server and browser
have both just begun; the clock is the page's own, from the navigation on. The yardstick of each try is a page without
anything from the same kind of server in the same browser: a busy machine makes both slower, so their ratio says more
than the seconds. Skipped, aloud, without Chromium.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gembill.ledger import Ledger
from tests.e2e.browsing import CHROMIUM, DRAWN, Watched, choose, chromium, listening, started, tab
from tests.pictures import month
from tests.shown import MONTH, shown

OVERVIEW = f"/?month={MONTH}"
SHOWN = """
window.__shown = {};
new MutationObserver((_, observer) => {
  for (const [what, where] of [['sketch', 'figure .sketch .col'], ['drawn', 'figure[data-drawn] .plot svg']])
    if (!(what in window.__shown) && document.querySelector(where)) {
      window.__shown[what] = null;
      requestAnimationFrame(() => setTimeout(() => window.__shown[what] = performance.now()));  // after it was painted
      if (what === 'drawn') observer.disconnect();
    }
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
WHEN_SHOWN = """what => new Promise((seen) => {
  const look = () => window.__shown[what] ? seen(window.__shown) : setTimeout(look, 20);
  look();
})"""
PAINTED = "new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))"


@dataclass
class Row:
    """One of the things measured: its goal, its seconds, and those of its yardstick in the same tries."""

    title: str
    goal: str
    seconds: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def add(self, seconds: float, bare: float) -> None:
        """One try."""
        self.seconds.append(seconds)
        self.bare.append(bare)

    def line(self) -> str:
        """The row of the table."""
        ratio = statistics.median(one / bare for one, bare in zip(self.seconds, self.bare, strict=True))
        return f"| {self.title} | {min(self.seconds):.2f} | {statistics.median(self.seconds):.2f} | {ratio:.1f} | {self.goal} |"


@contextmanager
def blank() -> Iterator[str]:
    """The page without anything, from a process that has just begun."""
    words = ("tests.bench.blank_page:app", "--port", "0", "--no-access-log")
    with listening("uvicorn", *words, environment=dict(os.environ)) as home:
        yield home


def shown_after(browser: Any, home: str, path: str, what: str) -> dict[str, float]:
    """Seconds from the navigation until a first chart was there, as HTML (`sketch`) and as plotly draws it (`drawn`)."""
    with tab(browser, home) as cold:
        cold.page.add_init_script(SHOWN)
        cold.go(path, drawn=False)
        times = cold.page.evaluate(WHEN_SHOWN, what)
        assert (troubles := cold.troubles()) == [], troubles
    return {name: at / 1000 for name, at in times.items()}


def cold_starts(ledger: Ledger, tries: int) -> list[Row]:
    """The overview of a server and a browser that have just begun."""
    rows = [Row("first chart, as plain HTML", "2.5"), Row("the same as plotly.js draws it", "2.5")]
    for _ in range(tries):
        with started(ledger, shown().settings.data_dir) as home, chromium() as fresh:
            times = shown_after(fresh, home, OVERVIEW, "drawn")
        with blank() as home, chromium() as fresh:
            bare = shown_after(fresh, home, "/", "sketch")["sketch"]
        for row, what in zip(rows, ("sketch", "drawn"), strict=True):
            row.add(times[what], bare)
    return rows


def filter_changes(ledger: Ledger, tries: int) -> list[Row]:
    """A model chosen and left out again, on a page that is there; the yardstick is a link that is followed."""
    rows = [Row("a filter change: figures and address", "0.3"), Row("and painted, drawn by plotly.js", "0.3")]
    with (
        started(ledger, shown().settings.data_dir) as home,
        blank() as bare_home,
        chromium() as browser,
        tab(browser, home) as watched,
        tab(browser, bare_home) as bare,
    ):
        watched.go(OVERVIEW)
        model = watched.page.locator("input[name=model]").first.get_attribute("value")
        for number in range(-2, tries):  # the first two make both ways known to the server and the browser
            addressed, painted = changed(watched, model)
            followed = link_followed(bare)
            if number >= 0:
                rows[0].add(addressed, followed)
                rows[1].add(painted, followed)
        assert (troubles := watched.troubles()) == [], troubles
    return rows


def changed(watched: Watched, model: str) -> tuple[float, float]:
    """Seconds until the address says what was chosen, which is written after the figures; and until all is painted."""
    began = time.monotonic()
    choose(watched, model)
    addressed = time.monotonic() - began
    watched.page.wait_for_selector(DRAWN)
    watched.page.evaluate(PAINTED)
    return addressed, time.monotonic() - began


def link_followed(bare: Watched) -> float:
    """Seconds from a click on the page without anything until the next one has its address."""
    bare.go("/", drawn=False)
    began = time.monotonic()
    bare.page.click("a")
    bare.page.wait_for_url("**/?next")
    return time.monotonic() - began


def main() -> None:
    """Measure in turn and print a table."""
    if CHROMIUM is None:
        print("no Chromium is installed, so no page was measured", file=sys.stderr)
        return
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    with month(shown()) as ledger:
        rows = [*cold_starts(ledger, tries), *filter_changes(ledger, tries)]
    print("| seconds | min | median | times the page without anything | goal |\n|---|---|---|---|---|")
    for row in rows:
        print(row.line())


if __name__ == "__main__":
    main()
