"""The lines on which keys stand."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from gembill.rules.budgets.lines import Lines

TEXT = '''# a comment with [[budget]] in it
title = """
[[budget]]
"""
[[budget]]
name = "x"  # why
warn_at = [
  0.5,
]
[budget.labels]
"team \\" a" = "b"

[[budget]]
labels.team = "c"
filter = { a = { b = 1 } }
'''


def test_keys_of_tables_in_arrays_are_found_by_their_number():
    lines = Lines(TEXT)
    assert lines.of(("title",)) == 2
    assert lines.of(("budget", 0)) == 5
    assert lines.of(("budget", 0, "name")) == 6
    assert lines.of(("budget", 0, "warn_at")) == 7
    assert lines.of(("budget", 0, "labels")) == 10
    assert lines.of(("budget", 0, "labels", 'team " a')) == 11
    assert lines.of(("budget", 1)) == 13
    assert lines.of(("budget", 1, "labels", "team")) == 14
    assert lines.of(("budget", 1, "filter", "a", "b")) == 15


def test_a_key_that_is_not_there_has_the_line_of_what_it_would_stand_in():
    assert Lines(TEXT).of(("budget", 1, "name")) == 13
    assert Lines(TEXT).of(("nothing",)) == 1


def test_windows_line_ends_count_once():
    assert Lines("a = 1\r\n\r\nb = 2\r\n").of(("b",)) == 3


def test_a_table_of_pyproject_has_its_path():
    assert (
        Lines("[tool.gembill]\n[[tool.gembill.budget]]\nname = 'x'\n").of(("tool", "gembill", "budget", 0, "name")) == 3
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.text(st.characters(codec="utf-8"), max_size=8)), max_size=8))
def test_every_key_of_a_proper_text_is_found_where_it_was_written(rows):
    text, where = "", {}
    for number, (blank, value) in enumerate(rows):
        text += "\n" * blank
        where[f"k{number}"] = text.count("\n") + 1
        quoted = "".join(f"\\U{ord(c):08x}" for c in value)
        text += f'k{number} = ["{quoted}",\n 1]\n'
    tomllib.loads(text)
    lines = Lines(text)
    assert {name: lines.of((name,)) for name in where} == where
