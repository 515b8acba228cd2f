"""A statement in JSON, CSV, tables and HTML."""

import csv
from decimal import Decimal
from fractions import Fraction
from io import StringIO

import pytest

from gembill.ledger import Ledger, Reason, Selection, close_month, month_close
from gembill.period import parse
from gembill_reports.analysis.statement import SharedRule, Statement, StatementTerms, statement
from gembill_reports.dashboard.html_report import sheets_page
from gembill_reports.views.statement import StatementView, sheet
from gembill_reports.views.view import Format, text
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens
from tests.gembill_reports.conftest import Snapshots

OCTOBER, NOVEMBER = parse(month="2026-10"), parse(month="2026-11")
MIDDLE = us("2026-10-15T12:00:00+00:00")
NOW = us("2026-11-20T12:00:00+00:00")


def at(ledger: Ledger, when: str) -> Ledger:
    return Ledger(lambda: ledger.engine, lambda: us(when))


@pytest.fixture
def books(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """October, closed: two teams and a call of nobody; in November a new price for October's first call."""
    monkeypatch.setattr(month_close, "tz_version", lambda: "2026f")  # the digest has it, whichever is installed here
    calls = [
        posting(seq, occurred_us=MIDDLE + seq, labels={} if team is None else {"team": team})
        for seq, team in enumerate(("search", "search", "=ads", None), 1)
    ]
    calls.append(posting(5, occurred_us=us("2026-11-05T12:00:00+00:00"), labels={"team": "search"}))
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, calls)
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    again = (record(1, occurred_us=MIDDLE + 1), rated(tokens(), 400_000))
    at(ledger, "2026-11-10T12:00:00+00:00").correct([again], reason=Reason.RERATE)
    return ledger


def made(books: Ledger, month: object = OCTOBER, rule: SharedRule = SharedRule.BY_COST, markup: str = "0") -> Statement:
    return statement(books, month, Selection(), StatementTerms("label.team", rule, Fraction(markup)))  # type: ignore[arg-type]


def view(shown: Statement) -> StatementView:
    return StatementView(shown, lambda sheets: sheets_page(sheets, NOW, demo=False))


def test_json_has_the_terms_the_closing_and_amounts_that_add_up(books: Ledger) -> None:
    shape = view(made(books, markup="1/10")).json()
    assert (shape["by"], shape["shared_rule"], shape["markup"]) == ("label.team", "by-cost", "1/10")
    assert shape["closed"]["closed_at"] == "2026-11-02T04:00:00-08:00"
    assert [row["label.team"] for row in shape["rows"]] == ["search", "=ads"]
    for amount in ("cost_usd", "shared_usd", "markup_usd", "total_usd"):
        assert sum(Decimal(row[amount]) for row in shape["rows"]) == Decimal(shape["total"][amount])
    assert shape["total"]["total_usd"] == "0.000440000000"
    november = view(made(books, NOVEMBER)).json()
    assert november["closed"] is None
    assert november["adjustments"] == [
        {"month": "2026-10", "label.team": "search", "calls": 0, "cost_usd": "-0.000020000000"}
    ]


def test_csv_has_a_row_for_each_and_no_formula(books: Ledger) -> None:
    rows = list(csv.DictReader(StringIO("".join(text(view(made(books)), Format.CSV)))))
    assert [row["label.team"] for row in rows] == ["search", "'=ads"]
    assert rows[0]["total_usd"] == "0.000266666667"


def test_html_is_one_file_with_the_amounts_and_the_rule(books: Ledger) -> None:
    page = "".join(text(view(made(books)), Format.HTML))
    assert page.lstrip().startswith("<!doctype html>")
    assert "$0.000266666667" in page
    assert "in proportion to what each cost itself" in page
    assert "<script" not in page


def test_corrections_of_nobody_s_calls_are_said_to_be_shared(books: Ledger) -> None:
    append(at(books, "2026-11-12T12:00:00+00:00"), SPOOL, [posting(6, occurred_us=MIDDLE, labels={})])
    shown = made(books, NOVEMBER, markup="0.12345678")
    said = sheet(shown).terminal(200)
    assert "Shared: $0.0001 of corrections of calls without a team (+$0.0001), spread" in said
    assert "the closed month 2026-10 that were made in this one, +$0.00008, of which +$0.0001 is shared." in said
    assert "Mark-up: 12.345678% of own cost" in said
    apart = sheet(made(books, NOVEMBER, SharedRule.APART)).terminal(200)
    assert "that were made in this one, +$0.00008." in apart
    append(at(books, "2026-11-13T12:00:00+00:00"), SPOOL, [posting(7, occurred_us=NOW, labels={})])
    said = sheet(made(books, NOVEMBER)).terminal(200)
    assert "Shared: $0.0002 of 1 call without a team and corrections of calls without a team (+$0.0001), spread" in said


@pytest.mark.parametrize(
    ("markup", "percent"), [("0", "0"), ("1", "100"), ("1/8", "12.5"), ("12.34123456", "1234.123456"), ("1/10", "10")]
)
def test_a_mark_up_is_said_with_all_its_digits(books: Ledger, markup: str, percent: str) -> None:
    assert view(made(books, markup=markup)).json()["markup_percent"] == percent


def test_a_cost_that_is_not_known_is_not_zero(ledger: Ledger) -> None:
    from gembill.model import Rating

    unpriced = posting(1, Rating(unpriced_reason="no price"), occurred_us=MIDDLE, labels={"team": "a"})
    append(ledger, SPOOL, [unpriced])
    shown = made(ledger)
    assert view(shown).json()["rows"][0]["cost_usd"] is None
    assert "unknown" in sheet(shown).terminal(120)
    assert "Unpriced: 1 call (a: 1)" in sheet(shown).terminal(120)


def test_statements_look_as_they_did(books: Ledger, snapshot: Snapshots) -> None:
    snapshot("statement-closed", sheet(made(books, markup="1/8")))
    snapshot("statement-adjusted", sheet(made(books, NOVEMBER)))
    snapshot("statement-apart", sheet(made(books, rule=SharedRule.APART)))
    snapshot("statement-none", sheet(made(books, parse(month="2026-09"))))
