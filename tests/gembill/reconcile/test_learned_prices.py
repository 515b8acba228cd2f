"""A price that is on the bill and not in the list is proposed, and only where all lines have it."""

from dataclasses import replace
from fractions import Fraction

import pytest

from gembill.reconcile.comparison import Ours, compare
from gembill.reconcile.learned_prices import LearnedPrice, learned_prices
from gembill.reconcile.synthetic import BillOptions, make_bill
from tests.gembill.reconcile.ledgers import BOOK, FIRST, NOW, month, placed, totals

USAGES, RESULTS = month(days=4)


def learned(words: str, share: Fraction, rate: str = "1", days: int = 4) -> list[LearnedPrice]:
    """What is learned where SKUs with these words cost a share of the list's price on the first days."""
    lines = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions(currency="EUR", rate=rate)))
    changed = [
        replace(line, cost_pico=round(line.cost_pico * share), decimals=5)  # rounded at the sixth, before it was shared
        if words in line.sku and line.first_day < FIRST + days
        else line
        for line in lines
    ]
    return learned_prices(compare(changed, Ours(usages=USAGES, results=RESULTS), BOOK, now_day=NOW))


def test_a_bill_at_list_prices_teaches_nothing() -> None:
    assert learned("nothing", Fraction(1)) == []


@pytest.mark.parametrize("rate", ["1", "0.9213", "151.27"])
def test_a_price_is_learned_to_its_last_digit_in_any_currency(rate: str) -> None:
    [price] = learned("output token count gemini 3.7 flash text batch", Fraction(4, 5), rate)
    assert price.listed_pico is not None
    assert price.unit_pico == price.listed_pico * 4 / 5
    assert (price.cell.model, price.cell.tier, price.cell.span) == ("gemini-3.7-flash", "batch", FIRST)


def test_projects_with_a_common_price_teach_it_once() -> None:
    usages, results = placed(USAGES), placed(RESULTS)
    dearer = [
        replace(line, cost_pico=line.cost_pico * 2, decimals=5)
        if "output token count gemini 3.7 flash text batch" in line.sku
        else line
        for line in totals(make_bill(usages, results, BOOK, BillOptions()))
    ]
    comparison = compare(dearer, Ours(usages=usages, results=results), BOOK, now_day=NOW)
    assert len({line.cell.project for line in comparison.cells}) == 2
    [price] = learned_prices(comparison)
    assert (price.cell.model, price.cell.tier) == ("gemini-3.7-flash", "batch")


def test_days_that_agree_with_the_list_are_not_what_is_learned_from() -> None:
    [price] = learned("output token count gemini 3.7 flash text batch", Fraction(4, 5), days=2)
    assert price.unit_pico * 5 == (price.listed_pico or 0) * 4


def test_lines_that_have_no_common_price_teach_nothing() -> None:
    lines = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions()))
    words = "output token count gemini 3.7 flash text batch"
    changed = [
        replace(line, cost_pico=line.cost_pico * (2 + line.first_day - FIRST)) if words in line.sku else line
        for line in lines
    ]
    assert learned_prices(compare(changed, Ours(usages=USAGES, results=RESULTS), BOOK, now_day=NOW)) == []


def test_without_a_rate_no_price_is_known() -> None:
    lines = [replace(line, rate=None) for line in totals(make_bill(USAGES, [], BOOK, BillOptions(currency="EUR")))]
    assert learned_prices(compare(lines, Ours(usages=USAGES), BOOK, now_day=NOW)) == []
