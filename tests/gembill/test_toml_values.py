"""Values of TOML files: the line and path of each, and the sentence about one that is wrong."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.toml_values import Kind, line_of, shown, written

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
    assert line_of(TEXT, ("title",)) == 2
    assert line_of(TEXT, ("budget", 0)) == 5
    assert line_of(TEXT, ("budget", 0, "name")) == 6
    assert line_of(TEXT, ("budget", 0, "warn_at")) == 7
    assert line_of(TEXT, ("budget", 0, "labels")) == 10
    assert line_of(TEXT, ("budget", 0, "labels", 'team " a')) == 11
    assert line_of(TEXT, ("budget", 1)) == 13
    assert line_of(TEXT, ("budget", 1, "labels", "team")) == 14
    assert line_of(TEXT, ("budget", 1, "filter", "a", "b")) == 15


def test_a_key_that_is_not_there_has_the_line_of_what_it_would_be_in():
    assert line_of(TEXT, ("budget", 1, "name")) == 13
    assert line_of(TEXT, ("nothing",)) == 1


def test_windows_line_ends_count_once():
    assert line_of("a = 1\r\n\r\nb = 2\r\n", ("b",)) == 3


def test_a_table_of_pyproject_has_its_path():
    assert (
        line_of("[tool.gembill]\n[[tool.gembill.budget]]\nname = 'x'\n", ("tool", "gembill", "budget", 0, "name")) == 3
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
    assert {name: line_of(text, (name,)) for name in where} == where


@pytest.mark.parametrize(
    ("path", "text"),
    [((), "$"), (("budget", 0, "period"), "$.budget[0].period"), (("models", "gemini-2.5-pro"), '$.models["gemini-2.5-pro"]')],
)  # fmt: skip
def test_a_path_is_written_with_its_keys_and_numbers(path, text):
    assert written(path) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "'a'"), ("a\n", r"'a\n'"), (True, "true"), ([1, "b"], "[1, 'b']"), ({"a": {"b": 1}}, "{a = {b = 1}}"), ("x" * 200, "'" + "x" * 79)],
)  # fmt: skip
def test_a_value_is_shown_about_as_it_was_written(value, text):
    assert shown(value) == text


def test_a_value_has_its_kind_or_there_is_one_sentence_about_it():
    kind = Kind(int, "a whole number", from_text=int)
    assert (kind.checked(5, "x"), kind.checked("5", "x")) == (5, 5)
    with pytest.raises(ValueError, match=r"^x is 'five'; it must be a whole number$"):
        kind.checked("five", "x")


def test_a_secret_is_not_quoted():
    kind = Kind(int, "a whole number", secret=True)
    for value in ("canary", ["canary"], {"canary": "canary"}):
        with pytest.raises(ValueError, match="it must be a whole number") as caught:
            kind.checked(value, "x")
        assert "canary" not in str(caught.value)
