"""Dead letters, sources and spools: what never became a record."""

from pathlib import Path
from zoneinfo import ZoneInfo

from gembill.ledger import SourceStatus
from gembill.spool import SpoolSurvey
from gembill_reports.dashboard.installation_grids import as_dict, csv_rows, grids, missing_card

SOURCES = [
    SourceStatus(source_id=7, kind="spool", host="here", first_seen_us=0, last_seen_us=10**15, events=9, missing=2)
]
LETTERS = {(7, "it has no id"): 3, (-5, "it is no JSON"): 1}
SPOOLS = [
    SpoolSurvey(path=Path("x"), source_id=8, state="in use", unposted=4),
    SpoolSurvey(path=Path("y"), source_id=9, state="copy", damaged=1, reason="it is a clone"),
]


def test_what_may_be_missing_is_named_with_its_source() -> None:
    letters, spools, sources = grids(SOURCES, LETTERS, SPOOLS, ZoneInfo("UTC"))
    assert [[cell.text for cell in row] for row in letters.rows] == [
        ["it has no id", "0000000000000007", "3"],
        ["it is no JSON", "-5", "1"],
    ]
    assert [(row[0].text, row[1].mark, row[4].mark) for row in spools.rows] == [
        ("0000000000000008", "", ""),
        ("0000000000000009", "failed", "failed"),
    ]
    assert [cell.text for cell in sources.rows[0]] == [
        "0000000000000007",
        "spool",
        "here",
        "2001-09-09 01:46",
        "9",
        "2",
    ]
    assert all(grid.name for grid in (letters, spools, sources))


def test_json_and_csv_say_the_same() -> None:
    data = as_dict(SOURCES, LETTERS, SPOOLS)
    assert data["sources"][0]["missing_events"] == 2
    assert data["spools"][1] == {
        "source": "0000000000000009",
        "state": "copy",
        "unposted": 0,
        "reason": "it is a clone",
    }
    assert [tuple(row.values()) for row in csv_rows(SOURCES, LETTERS, SPOOLS)] == [
        ("dead_letter", "0000000000000007", "it has no id", 3),
        ("dead_letter", "-5", "it is no JSON", 1),
        ("missing_events", "0000000000000007", "here", 2),
        ("unposted", "0000000000000008", "in use", 4),
        ("unposted", "0000000000000009", "copy", 0),
    ]


def test_missing_events_are_loud() -> None:
    assert (missing_card(3).kind, missing_card(0).kind) == ("failed", "")
    assert "gembill replay" in missing_card(3).note
