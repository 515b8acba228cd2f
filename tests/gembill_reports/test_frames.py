"""Data frames: exact money, whole counts, missing stays missing."""

from decimal import Decimal

import pytest

import gembill_reports
from gembill.errors import ConfigurationError
from gembill.ledger import Ledger
from gembill.money import unit_price, usd
from gembill.period import parse
from gembill_reports.analysis.report import report
from gembill_reports.frames import frame
from tests.gembill_reports.making import FLASH, call, put


def test_columns_are_those_of_the_csv_and_money_is_exact(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (1, 2, 3), labels={"team": "a"}),
        call("2026-11-05T10:00:00+00:00", (1, 0, 0), "new"),
    )
    found = frame(report(ledger, parse(month="2026-11"), ("model", "label.team")))
    assert list(found.columns[:4]) == ["model", "label.team", "calls", "calls_code_execution"]
    assert list(found["model"]) == [FLASH, "new"]
    assert found["label.team"][1] is None
    assert found["cost_usd"][0] == Decimal(usd(3 * unit_price("0.50") + 3 * unit_price("3.00")))
    assert found["cost_usd"][1] is None
    assert str(found["tokens_intermediate"].dtype) == "Int64"
    assert found["tokens_intermediate"].sum() == 2
    assert found["cost_usd"].dropna().sum() == Decimal(usd(3 * unit_price("0.50") + 3 * unit_price("3.00")))


def test_of_nothing_there_is_an_empty_frame_with_its_columns(ledger: Ledger) -> None:
    found = frame(report(ledger, parse(month="2020-01"), ("day",)))
    assert len(found) == 0
    assert list(found.columns[:2]) == ["day", "calls"]


def test_a_notebook_needs_two_lines(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (1000, 0, 0)))
    url = str(ledger.engine.url)
    assert gembill_reports.frame(url, ["model"], month="2026-11")["calls"].sum() == 1
    drawn = gembill_reports.figure("cost_per_day", url, month="2026-11")
    assert drawn.data[0].name == "input"
    with pytest.raises(ConfigurationError, match="'pie' is no chart"):
        gembill_reports.figure("pie", url)
