"""A dashboard on a free port and a browser that looks at it and tells what went wrong.

Owns: the server thread, Debian's Chromium and its observers. Owns no assertion.
"""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from billing.config import Settings
from billing.ledger import Ledger
from reports.dashboard.app import Dashboard

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DRAWN = "#page:not(:has(figure[data-chart]:not([data-drawn])))"
_WATCH = """
window.__broken = [];
document.addEventListener('securitypolicyviolation', (e) => window.__broken.push(e.violatedDirective + ' ' + e.blockedURI));
"""


@contextlib.contextmanager
def serving(ledger: Ledger, folder: Path, now_us: int) -> Iterator[str]:
    """The dashboard of a ledger, in a thread; gives its address."""
    app = Dashboard(ledger, Settings(data_dir=folder), lambda: now_us).app()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@dataclass
class Watched:
    """A tab and all that it complained about."""

    page: Any
    home: str
    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def go(self, path: str, *, drawn: bool = True) -> None:
        self.page.goto(self.home + path)
        if drawn:
            self.page.wait_for_selector(DRAWN)

    def troubles(self) -> list[str]:
        """Console errors, refused resources, requests that left the machine."""
        return [*self.console, *self.outside, *self.page.evaluate("window.__broken")]

    def text(self) -> str:
        return str(self.page.inner_text("body"))


@contextlib.contextmanager
def tab(browser: Any, home: str, **options: Any) -> Iterator[Watched]:
    """A fresh tab with nothing kept."""
    context = browser.new_context(**options)
    context.add_init_script(_WATCH)
    page = context.new_page()
    page.set_default_timeout(20_000)
    watched = Watched(page, home)
    page.on("console", lambda said: said.type == "error" and watched.console.append(said.text))
    page.on("pageerror", lambda error: watched.console.append(str(error)))
    page.on("dialog", lambda dialog: (watched.console.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda asked: asked.url.startswith((home, "data:")) or watched.outside.append(asked.url))

    try:
        yield watched
    finally:
        context.close()


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """The system's browser; the test is skipped aloud where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed, so no page was looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
