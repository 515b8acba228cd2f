"""Sums over records; that they equal those of rollups is tested in `test_totals`."""

from gembill.ledger import Ledger, Selection
from gembill.ledger.engine import snapshot
from gembill.ledger.record_totals import sum_records
from gembill.model import Status
from tests.gembill.ledger.making import SPOOL, append, posting


def test_records_are_summed_by_what_no_rollup_knows(ledger: Ledger) -> None:
    places = ("eu", "eu", None)
    calls = [posting(n, location=place, status=Status.PARTIAL) for n, place in enumerate(places, 1)]
    append(ledger, SPOOL, calls)
    with snapshot(ledger.engine) as connection:
        rows = sum_records(connection, Selection(), ["location"], ["calls", "incomplete_calls", "calls_code_execution"])
        assert sorted((row[0], sums) for row, sums in rows) == [("", (1, 1, 1)), ("eu", (2, 2, 2))]
