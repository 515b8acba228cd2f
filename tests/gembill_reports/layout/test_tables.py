"""Tables: whole columns give way, digits never; foreign text is harmless."""

import csv
import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gembill_reports.layout.tables import (
    Column,
    Table,
    clean,
    csv_lines,
    escaped,
    flat,
    markdown,
    shown_titles,
    terminal,
)

COLUMNS = (
    Column("Model", text=True),
    Column("Calls", 10),
    Column("Input", 30),
    Column("Intermed.", 40),
    Column("Cost"),
)
ROWS = (
    ("gemini-3.1-pro-preview", "1,306", "2,760,000", "7,410,002", "$44.19"),
    ("gemini-3-flash-preview", "4,812", "9,100,000", "21,730,000", "$0.00012"),
)
TABLE = Table(COLUMNS, ROWS, ("Total", "6,118", "11,860,000", "29,140,002", "$44.19"))
HOSTILE = "a\x1b[31mred\x1b]0;title\x07\r\n\u202eevil\u200b|x"


def test_where_there_is_room_every_column_stands() -> None:
    assert terminal(TABLE, 70).splitlines() == [
        "Model                   Calls       Input   Intermed.      Cost",
        "───────────────────────────────────────────────────────────────",
        "gemini-3.1-pro-preview  1,306   2,760,000   7,410,002    $44.19",
        "gemini-3-flash-preview  4,812   9,100,000  21,730,000  $0.00012",
        "───────────────────────────────────────────────────────────────",
        "Total                   6,118  11,860,000  29,140,002    $44.19",
    ]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (63, ["Model", "Calls", "Input", "Intermed.", "Cost"]),
        (62, ["Model", "Input", "Intermed.", "Cost"]),
        (55, ["Model", "Intermed.", "Cost"]),
        (43, ["Model", "Cost"]),
        (1, ["Model", "Cost"]),
    ],
)
def test_columns_give_way_in_the_order_of_their_priority(width: int, titles: list[str]) -> None:
    assert terminal(TABLE, width).splitlines()[0].split() == titles


@given(st.integers(1, 120), st.lists(st.integers(0, 10**15), min_size=3, max_size=3), st.text(max_size=80))
def test_a_number_is_shown_whole_or_not_at_all(width: int, numbers: list[int], name: str) -> None:
    cells = tuple(f"{number:,}" for number in numbers)
    columns = (Column("Name", text=True), Column("A", 1), Column("B", 2), Column("C"))
    drawn = terminal(Table(columns, ((name, *cells),)), width)
    lines = drawn.splitlines()
    shown = lines[0].split()[1:]
    assert lines[2].split()[-len(shown) :] == list(cells)[-len(shown) :]
    assert "…" not in drawn.replace("…", "" if "…" in name else "…")


def test_a_long_text_is_folded_and_loses_nothing() -> None:
    long = "team-with-a-very-long-name-0123456789-0123456789-0123456789"
    drawn = terminal(Table((Column("Label", text=True), Column("Cost")), ((long, "$1.00"),)), 30)
    assert max(map(cell_len, drawn.splitlines())) <= 30
    assert re.sub(r"[\s─]|\$1\.00|Label|Cost", "", drawn) == long


def test_wide_characters_keep_the_columns_in_line() -> None:
    table = Table((Column("Label", text=True), Column("Cost")), (("日本語", "$1.00"), ("abc", "$10.00")))
    assert len({cell_len(line) for line in terminal(table, 40).splitlines()}) == 1


def test_control_characters_are_written_out_everywhere() -> None:
    table = Table((Column(HOSTILE, text=True),), ((HOSTILE,),), (HOSTILE,))
    for text in (terminal(table, 200), markdown(table)):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert clean(HOSTILE) == r"a\x1b[31mred\x1b]0;title\x07\r\n\u202eevil\u200b|x"
    assert clean("\ud800") == r"\ud800"


def test_rich_markup_in_a_text_is_only_text() -> None:
    assert "[red]:smile:[/red]" in terminal(Table((Column("L", text=True),), (("[red]:smile:[/red]",),)), 40)


def test_without_color_there_is_no_escape_sequence_and_with_it_there_is() -> None:
    assert "\x1b" not in terminal(TABLE, 80)
    assert "\x1b[1m" in terminal(TABLE, 80, color=True)


def test_a_state_has_its_colour_only_where_colours_are_shown() -> None:
    columns = (Column("State", text=True, styles={"BREACH": "bold red", "PASS": "green"}), Column("Cost"))
    table = Table(columns, (("BREACH", "$1"), ("PASS", "$2"), ("BREACHED", "$3")))
    lines = terminal(table, 40, color=True).splitlines()
    assert "\x1b[1;31mBREACH" in lines[2]
    assert "\x1b[32mPASS" in lines[3]
    assert "\x1b[" not in lines[4]
    assert "\x1b" not in terminal(table, 40)


def test_shown_titles_are_those_of_the_drawn_table() -> None:
    table = Table((Column("Name", text=True), Column("Low", 10), Column("High", 20)), (("n", "1,234", "5,678"),))
    assert shown_titles(table, 40) == ["Name", "Low", "High"]
    assert shown_titles(table, 12) == ["Name", "High"]
    assert shown_titles(Table(table.columns, (), ("Total", "1", "2")), 40) == ["Name", "Low", "High"]


def test_markdown_escapes_what_would_break_the_table() -> None:
    table = Table((Column("Label", text=True), Column("Cost")), (("a|b<i>*_x_*", "$1.00"),), ("Total", "$1.00"))
    assert markdown(table).splitlines() == [
        "| Label | Cost |",
        "| :--- | ---: |",
        r"| a\|b\<i\>\*\_x\_\* | $1.00 |",
        "| **Total** | **$1.00** |",
    ]
    assert escaped("snake_case") == "snake_case"


def test_csv_neutralises_formulas_and_leaves_numbers_alone() -> None:
    rows = [{"name": text, "cost": "-0.5"} for text in ("=1+1", "+1", "-x", "@a", "\tb", "\rc", "-5", "a,\"b'")]
    read = list(csv.DictReader(StringIO("".join(csv_lines(["name", "cost"], rows)), newline="")))
    assert [row["name"] for row in read] == ["'=1+1", "'+1", "'-x", "'@a", "'\tb", "'\rc", "-5", "a,\"b'"]
    assert {row["cost"] for row in read} == {"-0.5"}


def test_csv_writes_nothing_for_what_is_not_known() -> None:
    assert list(csv_lines(["a", "b", "c"], [{"a": None, "b": 0, "c": True}])) == ["a,b,c\n", ",0,true\n"]


def test_a_row_of_json_is_flattened_with_underscores() -> None:
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": None}}}) == {"a": 1, "b_c": 2, "b_d_e": None}


def test_names_stay_whole_while_words_can_give_way() -> None:
    table = Table(
        (Column("Model", text=True), Column("Why", text=True)), (("gemini-3.1-pro", "there is no price for it"),)
    )
    assert terminal(table, 30).splitlines()[2:] == ["gemini-3.1-pro  there is no", "                price for it"]
    assert terminal(table, 26).splitlines()[2:] == [
        *("gemini-3.1-p  there is no", "ro            price for it"),
    ]


def test_an_id_is_never_broken_and_columns_give_way_to_it() -> None:
    columns = (Column("ID", text=True, whole=True), Column("Model", 1, text=True), Column("Cost"))
    one = "019aa5e0-4b71-7f3a-8c2d-000000000001"
    assert terminal(Table(columns, ((one, "m", "$1.00"),)), 44).splitlines()[0].split() == ["ID", "Cost"]
    assert one in terminal(Table(columns, ((one, "m", "$1.00"),)), 1)


def test_a_sum_of_no_rows_is_below_one_rule() -> None:
    table = Table((Column("Model", text=True), Column("Cost")), (), ("Total", "$0.00"))
    assert terminal(table, 40).splitlines() == ["Model   Cost", "────────────", "Total  $0.00"]
