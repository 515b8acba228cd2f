"""Rows of BigQuery's exports."""

import json

import pytest

from gembill.reconcile.bill_line import LineKind
from gembill.reconcile.exported_rows import bigquery_lines, flat, focus_lines
from gembill.reconcile.numerals import Unreadable, day
from tests.gembill.reconcile.bills import BIGQUERY_ROW, DAY, FOCUS, SKU

ROW = flat(json.loads(json.dumps(BIGQUERY_ROW), parse_float=str))


def test_a_row_of_usage_is_a_line_on_the_pacific_day():
    [line] = bigquery_lines(1, ROW)
    assert (line.kind, line.sku, line.project, line.first_day, line.last_day) == (
        LineKind.USAGE,
        SKU,
        "search-1",
        DAY,
        DAY,
    )
    assert (line.amount_micro, line.cost_pico, line.rate, line.month) == (10**12, 690_000_000_000, "0.92", "2026-11")


def test_an_hour_before_pacific_midnight_is_of_the_day_before():
    [line] = bigquery_lines(
        1, ROW | {"usage_start_time": "2026-11-03T07:00:00Z", "usage_end_time": "2026-11-03T08:00:00Z"}
    )
    assert (line.first_day, line.last_day) == (DAY - 1, DAY - 1)


def test_each_credit_is_a_line_of_its_own_whether_listed_or_summed():
    listed = [{"name": "Free trial", "amount": "-0.5"}, {"name": "Promotion", "amount": "-0.19"}]
    usage, first, second = bigquery_lines(1, ROW | {"credits": listed})
    assert (usage.cost_pico, first.sku, first.cost_pico, second.cost_pico) == (
        690_000_000_000,
        "Free trial",
        -500_000_000_000,
        -190_000_000_000,
    )
    assert list(bigquery_lines(1, ROW | {"credits": json.dumps(listed)})) == [usage, first, second]
    assert [line.cost_pico for line in bigquery_lines(1, ROW | {"credits": "-0.69"})] == [
        690_000_000_000,
        -690_000_000_000,
    ]


@pytest.mark.parametrize("fraction", ["", ".5", ".500000", ".500000000"])
def test_a_time_has_as_many_digits_as_it_likes(fraction):
    rows = [ROW | {"export_time": f"2026-11-04 09:15:07{fraction}{zone}"} for zone in (" UTC", "", "Z", "+00:00")]
    [instant] = {line.exported_us for row in rows for line in bigquery_lines(1, row)}
    assert instant == 1_793_783_707_000_000 + (500_000 if fraction else 0)


def test_rows_that_share_their_words_share_nothing_else():
    later = ROW | {"cost": "0.01", "usage_amount": "5", "usage_start_time": "2026-11-05T09:00:00Z", "export_time": None}
    [first], [second], [other] = (bigquery_lines(n, row) for n, row in ((1, ROW), (2, later), (3, ROW | {"sku_id": 7})))
    assert (second.number, second.cost_pico, second.amount_micro, second.exported_us) == (2, 10**10, 5_000_000, None)
    assert (first.number, first.cost_pico, first.sku_id) == (1, 690_000_000_000, ROW["sku_id"])
    assert other.sku_id == "7"
    assert bigquery_lines(1, ROW) == [first]


def test_a_row_with_a_list_where_a_word_should_be_is_read_as_it_says():
    [line] = bigquery_lines(1, ROW | {"project_id": ["a"]})
    assert line.project == "['a']"


def test_tax_has_the_days_of_its_invoice_month_and_no_amount():
    [line] = bigquery_lines(1, ROW | {"cost_type": "tax", "usage_start_time": None})
    assert (line.kind, line.first_day, line.last_day) == (LineKind.TAX, day("2026-11-01"), day("2026-11-30"))
    assert line.amount_micro == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cost": None}, "it has no cost"),
        ({"currency": ""}, "it has no currency"),
        ({"usage_start_time": "soon"}, "'soon' is not a time"),
        ({"credits": "[oops"}, "not JSON"),
        ({"credits": [{"name": "x"}]}, "has no amount"),
        ({"usage_start_time": None, "invoice_month": None}, "neither when"),
    ],
)
def test_a_row_that_lacks_what_decides_money_is_unreadable(change, reason):
    with pytest.raises(Unreadable, match=reason.replace("[", r"\[")):
        list(bigquery_lines(1, ROW | change))


def test_money_of_a_row_is_exact_beyond_what_a_float_holds():
    [line] = bigquery_lines(1, ROW | {"cost": "123456789.123456789012"})
    assert line.cost_pico == 123_456_789_123_456_789_012


def test_a_row_of_focus_says_the_same():
    header, row, *_ = FOCUS.splitlines()
    [line] = focus_lines(2, dict(zip(header.split(","), row.split(","), strict=True)))
    assert (line.sku, line.sku_id, line.amount_micro, line.cost_pico, line.currency) == (
        SKU,
        "1111-2222-3333",
        10**12,
        690_000_000_000,
        "EUR",
    )
    assert (line.month, line.first_day, line.project) == ("2026-11", DAY, "search-1")


def test_nested_names_are_joined_and_lists_are_kept():
    assert flat({"a": {"b": 1, "c": {"d": 2}}, "e": [3]}) == {"a_b": 1, "a_c_d": 2, "e": [3]}
