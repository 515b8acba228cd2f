"""Numbers written for people, and sheets in a terminal."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.money import parse_usd
from gembill_reports.layout.sheet import Footnote, Sheet, count, exact, money, percent, rate
from gembill_reports.layout.tables import Column, Table


def test_what_is_not_known_is_called_unknown() -> None:
    assert (count(None), money(None), exact(None)) == ("unknown", "unknown", "unknown")
    assert (count(0), money(0), exact(0)) == ("0", "$0.00", "$0.00")


def test_counts_have_thousands_separators() -> None:
    assert count(12_345_678) == "12,345,678"


def test_a_rate_shows_count_and_share() -> None:
    assert (rate(266, 2_410), rate(0, 5), rate(0, 0)) == ("266 (11.0%)", "0", "0")


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 2, "50%"), (1, 200, "1%"), (1, 201, "less than 1%"), (0, 5, "0%"), (5, 5, "100%"), (665, 1000, "67%")],
)
def test_a_share_is_in_whole_percent(part: int, whole: int, expected: str) -> None:
    assert percent(part, whole) == expected


NOTHING = Table((Column("Cost"),), ())


@given(st.integers(-(10**20), 10**20))
def test_an_exact_amount_loses_no_digit(pico: int) -> None:
    assert parse_usd(exact(pico).replace("$", "").replace(",", "")) == pico


def test_a_sheet_wraps_its_words_and_is_markdown_too() -> None:
    sheet = Sheet("A heading of several words", Table((Column("Cost"),), (("$1.00",),)), ("one two three four",))
    assert sheet.terminal(10).splitlines() == [
        *("A heading", "of several", "words", ""),
        *(" Cost", "─────", "$1.00", ""),
        *("one two", "three four"),
    ]
    assert sheet.markdown().startswith("### A heading of several words\n\n| Cost |\n| ---: |\n| $1.00 |\n\n- one two")


def test_a_heading_is_broken_between_its_parts_first() -> None:
    sheet = Sheet("What changed · 2026-11 · UTC · US dollars per million tokens", NOTHING, ())
    assert sheet.terminal(24).splitlines() == ["What changed · 2026-11", "UTC", "US dollars per million", "tokens"]


def test_further_lines_of_a_note_are_indented_as_its_first() -> None:
    sheet = Sheet("H", NOTHING, ("- one two three", "    from here to there", "plain words wrapped"))
    assert sheet.terminal(12).splitlines()[2:] == [
        *("- one two", "  three"),
        *("    from", "    here to", "    there"),
        *("plain words", "wrapped"),
    ]


def test_a_footnote_is_there_only_with_its_column() -> None:
    columns = (Column("Model", text=True), Column("Output*", 10), Column("Waste~", 20), Column("Cost"))
    rows = (("gemini-3-flash-preview", "1,000", "$0.50", "$1.00"),)
    feet = (Footnote("Output*", "* with thinking"), Footnote("Waste~", "~ estimate"))
    sheet = Sheet("Heading", Table(columns, rows), ("A note.",), feet)
    assert sheet.terminal(80).splitlines()[-2:] == ["* with thinking   ~ estimate", "A note."]
    assert sheet.terminal(40).splitlines()[-2:] == ["~ estimate", "A note."]
    assert sheet.terminal(30).splitlines()[-2:] == ["", "A note."]
    assert "- \\* with thinking   \\~ estimate\n- A note." in sheet.markdown()
    assert "estimate" not in replace(sheet, table=Table(columns, ())).terminal(80)


def test_a_table_without_rows_is_left_out() -> None:
    sheet = Sheet("Gaps", NOTHING, ("None.",))
    assert sheet.terminal(80) == "Gaps\n\nNone.\n"
    assert sheet.markdown() == "### Gaps\n\n- None.\n"


def test_no_snapshot_is_left_over() -> None:
    folder = Path(__file__).parents[1]
    named = {name for test in folder.rglob("test_*.py") for name in re.findall(r'"([a-z-]+)"', test.read_text("utf-8"))}
    assert {path.stem for path in (folder / "snapshots").iterdir()} <= named
