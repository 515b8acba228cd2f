"""Fixtures of the tests in a browser: Chromium, the made-up month in a ledger, and its dashboard.

Invariant: one of each for a file of tests, and a tab of its own for each test.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from gembill.ledger import Ledger, open_ledger
from gembill.rules.budgets.toml import budgets
from tests.e2e.browsing import Watched, chromium, serving, tab
from tests.e2e.month import BUDGETS, NOW, fill


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('books') / 'ledger.db'}")
    fill(ledger)
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def home(books: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(books, tmp_path_factory.mktemp("pages"), NOW, budgets(BUDGETS, "test")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def watched(browser: Any, home: str) -> Iterator[Watched]:
    with tab(browser, home) as opened:
        yield opened
