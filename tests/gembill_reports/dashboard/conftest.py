"""Fixtures of the tests of the dashboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gembill.ledger import Ledger, open_ledger
from gembill.model import ApiError, Operation, Status
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Calls of two models and teams in November and one in October."""
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    put(
        opened,
        call("2026-10-15T10:00:00+00:00", (8, 0, 0)),
        call("2026-11-05T10:00:00+00:00", (100, 50, 10), outcomes=[OK, FAILED], labels={"team": "a", "env": "x"}),
        call("2026-11-06T10:00:00+00:00", (300, 20, 10), PRO, labels={"team": "b"}),
        call("2026-11-06T11:00:00+00:00", (5, 5, 5), "nobody-knows", outcomes=[LATE]),
        call("2026-11-07T11:00:00+00:00", None),
        call(
            "2026-11-07T12:00:00+00:00", None, status=Status.ERROR, error=ApiError(code=429, status="RATE", kind="rate")
        ),
        call("2026-11-08T12:00:00+00:00", (1, 1, 1), FLASH, conversation="chain", operation=Operation.INTERACTIONS),
    )
    yield opened
    opened.close()


@pytest.fixture
def november() -> PageQuery:
    return view([("month", "2026-11")], NOW, None)
