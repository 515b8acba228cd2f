"""A dashboard on a free port and a browser that looks at it and tells what went wrong.

Owns: the server (a thread, or a process where its start counts), Debian's Chromium and its observers. Not here: assertions.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gembill.config import Settings
from gembill.ledger import Ledger
from gembill.rules.budgets import Budget
from gembill_reports.dashboard.app import Dashboard

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # only a browser that is watched, as by Playwright, reads all of plotly.js three times more (0.4 s) for its positions
    "--js-flags=--no-enable-lazy-source-positions",
]
DRAWN = "#page:not(:has(figure[data-chart]:not([data-drawn])))"
_WATCH = """
window.__broken = [];
document.addEventListener('securitypolicyviolation', (e) => window.__broken.push(e.violatedDirective + ' ' + e.blockedURI));
"""


@contextlib.contextmanager
def serving(
    ledger: Ledger, folder: Path, now_us: int, budgets: Sequence[Budget] = (), token: str | None = None
) -> Iterator[str]:
    """The dashboard of a ledger, in a thread; gives its address."""
    servers: list[uvicorn.Server] = []
    ended = lambda: any(one.should_exit for one in servers)  # noqa: E731
    app = Dashboard(ledger, Settings(data_dir=folder), lambda: now_us, budgets, ended=ended).app(token=token)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    servers.append(server)
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


@contextlib.contextmanager
def started(ledger: Ledger, folder: Path) -> Iterator[str]:
    """`gembill dashboard` as a process that has just begun to listen and has answered nothing yet."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, "GEMBILL_DATA_DIR": str(folder), "HOME": str(folder)}
    with listening("gembill", "dashboard", "--port", "0", "--database-url", url, environment=environment) as home:
        yield home


@contextlib.contextmanager
def listening(module: str, *words: str, environment: dict[str, str]) -> Iterator[str]:
    """A server that is a process of Python's; the address that it wrote to stderr when it began to listen."""
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = ""
        while not (home := re.search(r"http://127\.0\.0\.1:\d+", said)):
            line = process.stderr.readline()
            assert line, f"it ended: {said}"
            said += line
        yield home[0]
    finally:
        process.terminate()
        process.communicate(timeout=60)


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


def choose(watched: Watched, model: str) -> None:
    """Choose a model, or leave it out, and wait until the address, which is written after the figures, says so."""
    chosen = f"model={model}" in watched.page.url
    watched.page.evaluate("document.querySelector('details[data-pick=model]').open = true")
    watched.page.click(f'input[name=model][value="{model}"]')
    watched.page.wait_for_url(lambda url: (f"model={model}" in url) != chosen)


@contextlib.contextmanager
def tab(browser: Any, home: str, **options: Any) -> Iterator[Watched]:
    """A fresh tab with nothing kept."""
    context = browser.new_context(**options)
    context.add_init_script(_WATCH)
    page = context.new_page()
    page.set_default_timeout(60_000)  # milliseconds; a busy machine needs some of them
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
