"""The terminal: width, colour and what its encoding can show."""

import io

import pytest

from gembill_reports.layout import screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_width_is_that_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "123")
    assert screen.width() == 123


def test_color_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert screen.colored(Terminal())
    assert not screen.colored(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not screen.colored(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not screen.colored(Terminal())


def test_an_encoding_without_the_sign_gets_a_plain_one() -> None:
    assert screen.showable("── · é", "utf-8") == "── · é"
    assert screen.showable("── · é", "ascii") == r"-- | \xe9"
    assert screen.showable("\ud800", "utf-8") == r"\ud800"
    assert screen.showable("é", None) == r"\xe9"


def test_pieces_are_written_in_order() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    screen.write(iter(["a─", "b\n"]), stream)
    assert raw.getvalue() == b"a-b\n"


def test_only_a_table_depends_on_the_encoding_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    screen.write_as("table", ["é"])
    screen.write_as("csv", ["é"])
    assert raw.getvalue() == rb"\xe9" + "é".encode()
