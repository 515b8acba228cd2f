"""Cells know on which side they stand."""

from gembill_reports.dashboard.page import number, text


def test_numbers_stand_right_and_words_left() -> None:
    assert number("1", "/x").number
    assert not text("a").number
    assert text(5).text == "5"
