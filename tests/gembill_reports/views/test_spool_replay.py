"""What became of each spool, as JSON, CSV and table."""

import csv
import io
from pathlib import Path

from gembill.replay import ReplayResult
from gembill.spool_replay import SpoolReplay
from gembill_reports.views.spool_replay import SpoolReplayView
from gembill_reports.views.view import Format, text

VIEW = SpoolReplayView(
    [
        SpoolReplay(Path("a"), 10, events=1200, added=7, first_us=0, last_us=1_000_000),
        SpoolReplay(Path("b"), 11, refused="it was cloned", damage=("9 bytes fail",)),
    ],
    ReplayResult(revived=2, skipped={"they are still dead letters": 3}),
)


def test_the_table_names_what_could_not_be_done() -> None:
    (sheet,) = VIEW.sheets()
    shown = sheet.terminal(140)
    assert "000000000000000a" in shown
    assert "1,200" in shown
    assert "1970-01-01T00:00:01" in shown
    for note in (
        "was not posted whole: it was cloned.",
        "9 bytes fail",
        "2 dead letters become",
        "3 skipped: they are",
    ):
        assert note in shown


def test_csv_and_json_have_a_row_for_each_spool() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(text(VIEW, Format.CSV)))))
    assert [row["source"] for row in rows] == ["000000000000000a", "000000000000000b"]
    assert [row["damage"] for row in VIEW.json()["spools"]] == [[], ["9 bytes fail"]]
    assert VIEW.json()["spools"][1]["first_at"] is None


def test_a_ledger_that_had_all_says_so() -> None:
    (sheet,) = SpoolReplayView([SpoolReplay(Path("a"), 1, events=5)], ReplayResult()).sheets()
    assert "The ledger had all of it" in sheet.terminal(100)
