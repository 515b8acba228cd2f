"""Spools as JSON, CSV and table."""

import csv
import io
from pathlib import Path

from gembill.spool import SpoolSurvey
from gembill_reports.views.spools import SpoolsView
from gembill_reports.views.view import Format, text

ONE = SpoolSurvey(path=Path("/s/0000000000000001"), source_id=1, state="idle", last=1234, unposted=1200)
OTHER = SpoolSurvey(
    path=Path("/s/0000000000000002"), source_id=2, state="left alone", damaged=1, reason="it was cloned"
)


def test_the_table_says_what_is_to_be_decided() -> None:
    (sheet,) = SpoolsView([ONE, OTHER], "/s").sheets()
    shown = sheet.terminal(140)
    for words in (
        "Spools in /s",
        "1,200",
        "0000000000000002: it was cloned.",
        "gembill spool salvage 0000000000000002",
    ):
        assert words in shown
    (none,) = SpoolsView([], "/s").sheets()
    assert "There is none" in none.terminal(100)


def test_json_and_csv_have_a_row_for_each() -> None:
    view = SpoolsView([ONE, OTHER], "/s")
    assert [row["state"] for row in view.json()["spools"]] == ["idle", "left alone"]
    rows = list(csv.DictReader(io.StringIO("".join(text(view, Format.CSV)))))
    assert [row["last_place"] for row in rows] == ["1234", "0"]
