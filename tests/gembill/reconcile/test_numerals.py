"""Numbers and days in the spellings of the console's languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.reconcile.numerals import Unreadable, day, day_order, day_text, decimal_point, month_days, scaled


@pytest.mark.parametrize(
    ("texts", "point"),
    [
        (["1,234.50"], "."),
        (["1.234,50"], ","),
        (["1.234", "0,92"], ","),  # the first could be either
        (["1.234", "5.678"], "."),
        (["0.123"], "."),
        (["1.234.567"], ","),
        (["1 234,5"], ","),
        ([], "."),
    ],
)
def test_the_decimal_sign_is_the_one_that_explains_all_numbers(texts, point):
    assert decimal_point(texts) == point


@pytest.mark.parametrize(
    ("text", "point", "value"),
    [
        ("1,234.5", ".", 1_234_500),
        ("1.234,5", ",", 1_234_500),
        ("12,34,567.8", ".", 1_234_567_800),  # India
        ("1\u202f234,5", ",", 1_234_500),  # France
        ("1\u2019234.5", ".", 1_234_500),  # Switzerland
        ("€1,234.5", ".", 1_234_500),
        ("1.234,5 €", ",", 1_234_500),
        ("A$2.5", ".", 2_500),
        ("-€2.5", ".", -2_500),
        ("2.5CHF", ".", 2_500),
        ("(2.5)", ".", -2_500),
        ("\u22122.5", ".", -2_500),
        ("1.25e-1", ".", 125),
        ("0.0005", ".", 0),  # half to even
        ("0.0015", ".", 2),
    ],
)
def test_a_number_is_exact_in_whatever_spelling(text, point, value):
    assert scaled(text, 3, point)[0] == value


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "1,2,3", "nan", "1e", "--1", "bad0", "7x"])
def test_what_is_not_a_number_is_unreadable(text):
    with pytest.raises(Unreadable):
        scaled(text, 3)


@given(st.integers(-(10**15), 10**15))
def test_grouped_digits_say_the_same_in_both_spellings(value):
    english = f"{value:,}"
    assert scaled(english, 0)[0] == scaled(english.replace(",", "."), 0, ",")[0] == value


def test_decimals_are_counted_as_written():
    assert scaled("0.690", 12) == (690_000_000_000, 3)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("2026-11-03", "mdy"),
        ("11/3/2026", "mdy"),
        ("03/11/2026", "dmy"),
        ("03.11.2026", "dmy"),
        ("2026/11/03", "mdy"),
        ("Nov 3, 2026", "mdy"),
        ("3 Nov 2026", "dmy"),
        ("2026. 11. 3.", "mdy"),
        ("2026年11月3日", "mdy"),
    ],
)
def test_a_day_is_the_same_in_every_spelling(text, order):
    assert day_text(day(text, order)) == "2026-11-03"


def test_the_order_of_days_and_months_is_read_off_a_date_that_has_only_one():
    assert day_order(["03/11/2026", "25/11/2026"]) == "dmy"
    assert day_order(["11/03/2026", "11/25/2026"], american=False) == "mdy"
    assert day_order(["03/11/2026"], american=False) == "dmy"
    assert day_order(["03.11.2026"]) == "dmy"


@pytest.mark.parametrize("text", ["yesterday", "13/13/2026", "2026-02-30", ""])
def test_what_is_not_a_day_is_unreadable(text):
    with pytest.raises(Unreadable):
        day(text)


def test_a_month_has_its_days():
    assert [day_text(number) for number in month_days("202602")] == ["2026-02-01", "2026-02-28"]
    assert [day_text(number) for number in month_days("2026-12")] == ["2026-12-01", "2026-12-31"]
    with pytest.raises(Unreadable):
        month_days("2026-13")
