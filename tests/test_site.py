"""The documentation as a site: the same documents, whole, and nothing of it from elsewhere.

`make site` builds it; the browser looks at what that left in site/, and is skipped, aloud, where nothing is there.
"""

import contextlib
import functools
import http.server
import importlib.util
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.browsing import chromium, tab

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
NAV = yaml.safe_load((ROOT / "website/mkdocs.yml").read_text("utf-8"))["nav"]
PICTURES = "[...document.images].every((one) => one.complete && one.naturalWidth > 0)"


def _module(name: str):
    spec = importlib.util.spec_from_file_location(f"website_{name}", ROOT / "website" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


hooks, check = _module("hooks"), _module("check")
DOCUMENTS = [*hooks.PAGES, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def test_the_navigation_names_pages_that_are_there_and_has_what_people_look_for():
    pages = hooks._leaves(NAV)
    written = {path.name for path in (ROOT / "docs").glob("*.md")} | set(hooks.PAGES.values())
    assert set(pages) <= written
    assert len(set(pages)) == len(pages)
    sections = [name for entry in NAV for name in entry]
    assert sections == ["Start", "Concepts", "Clients", "CI", "Dashboard", "Operations", "Reference"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_page_has_all_of_its_document_but_the_programs_that_write_it(document):
    text = (ROOT / document).read_text("utf-8")
    shown = hooks.shown(text, document)
    assert "[[[" not in shown
    assert re.findall(r"^#+ .*$", shown, re.MULTILINE) == re.findall(r"^#+ .*$", hooks._COG.sub("", text), re.MULTILINE)
    blocks = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    assert blocks.findall(shown) == blocks.findall(hooks._COG.sub("", text)), "blocks of code stay as they are"


@pytest.mark.parametrize(
    ("document", "link", "page"),
    [
        ("README.md", "[x](docs/ci.md#gitlab)", "[x](ci.md#gitlab)"),
        ("README.md", '<img src="docs/pictures/a.png">', '<img src="pictures/a.png">'),
        ("README.md", "![x](docs/pictures/a.png)", "![x](pictures/a.png)"),
        ("docs/architecture.md", "[x](../DECISIONS.md)", f"[x]({hooks.PAGES['DECISIONS.md']})"),
        ("docs/ci.md", "[x](contract.md)", "[x](contract.md)"),
        ("docs/ci.md", "[x](#here)", "[x](#here)"),
        ("deploy/README.md", "[x](../docs/ci.md)", "[x](ci.md)"),
        ("docs/ci.md", "[`a[b]`](../billing/gembill/money.py)", "`a[b]`"),
        ("docs/ci.md", "[x](https://example.com/a)", "[x](https://example.com/a)"),
        ("docs/ci.md", "```\n[x](../README.md)\n```", "```\n[x](../README.md)\n```"),
    ],
)
def test_a_link_leads_to_the_page_of_the_document_it_names(document, link, page):
    assert hooks.shown(link, document) == page


def test_scripts_of_the_theme_come_from_the_site():
    theme = b'a("https://unpkg.com/mermaid@11/dist/mermaid.min.js"),b("https://unpkg.com/resize-observer-polyfill")'
    assert hooks._REMOTE.sub(hooks.local, theme) == b'a("assets/mermaid.min.js"),b("data:text/javascript,")'


def test_what_a_page_loads_from_elsewhere_or_has_not_is_found(tmp_path):
    (tmp_path / "a.css").write_text("b {background: url('https://x/y.png')} c {background: url(d.svg)}")
    (tmp_path / "there.js").write_text("fetch('https://unpkg.com/x')")
    (tmp_path / "index.html").write_text(
        '<link rel="canonical" href="https://x/"><link href="a.css"><script src="//x/y.js"></script>'
        '<img src="missing.png"><img src="data:,"><script src="there.js?v=1"></script><a href="https://x/">x</a>'
    )
    assert check.troubles(tmp_path) == [
        "a.css names url('https://",
        "index.html loads //x/y.js",
        "index.html loads missing.png",
        "there.js names unpkg.com",
    ]


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_browser_shows_the_site_and_asks_nobody_else():
    if not (SITE / "index.html").exists():
        pytest.skip("site/ is not here, so no page of it was looked at; `make site` builds it")
    with chromium() as browser, served(SITE) as home, tab(browser, home) as seen:
        seen.page.set_default_timeout(60_000)
        for page in ("concepts", "dashboard", "architecture"):
            seen.go(f"/{page}.html", drawn=False)
            assert seen.page.inner_text("h1")
            assert seen.page.evaluate(PICTURES)
        if (SITE / "assets/mermaid.min.js").exists():
            seen.page.wait_for_selector("div.mermaid")
        seen.go("/index.html", drawn=False)
        assert seen.page.evaluate(PICTURES)
        seen.page.fill("input.md-search__input", "intermediate")
        seen.page.wait_for_selector(".md-search-result__item")
        assert seen.troubles() == []
