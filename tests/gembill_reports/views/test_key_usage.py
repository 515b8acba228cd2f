"""Keys for scripts."""

from gembill.ledger import Ledger
from gembill.period import parse
from gembill_reports.analysis.key_usage import keys_in_use
from gembill_reports.views.key_usage import csv_rows, keys_dict
from tests.gembill_reports.making import call, put


def test_a_key_has_the_columns_of_a_report_and_two_more(ledger: Ledger) -> None:
    put(ledger, call("2026-11-20T10:59:59+00:00", (10, 0, 0), key="busy"))
    used = keys_in_use(ledger, parse(month="2026-11"))
    (row,) = keys_dict(used)["rows"]
    assert (row["key"], row["calls"], row["refused_calls"]) == ("busy", 1, 0)
    assert row["last_hour"] == "2026-11-20T02:00:00-08:00"
    csv = csv_rows(used)
    (line,) = csv.rows
    assert set(csv.header) == set(line)
    assert (line["tokens_input"], line["last_hour"]) == (10, row["last_hour"])
