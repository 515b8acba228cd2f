"""What was in the period before, beside cards and in tables."""

import pytest

from gembill.ledger import Ledger
from gembill_reports.analysis.report import report
from gembill_reports.dashboard import comparison
from gembill_reports.dashboard.page import Card
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.layout.sheet import money
from tests.gembill_reports.making import us


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (30, 20, "+50% against 20"),
        (0, 20, "-100% against 20"),
        (5, 0, "none before"),
        (0, 0, ""),
        (None, 20, ""),
        (20, None, ""),
    ],
)
def test_a_card_says_what_was_if_it_is_known(now: int | None, before: int | None, said: str) -> None:
    assert comparison.against(now, before) == said


def test_money_is_written_as_money() -> None:
    assert comparison.against(10**12, 2 * 10**12, money) == "-50% against $2.00"


def test_cells_have_the_value_before_and_the_change_and_sort_by_the_difference() -> None:
    was, changed = comparison.count_cells(5, 10)
    assert (was.text, changed.text, changed.order) == ("10", "-50%", -5)
    was, changed = comparison.money_cells(None, 10)
    assert (was.order, changed.text, changed.order) == (10, "", None)


def test_cards_of_a_name_get_their_change_and_others_stay() -> None:
    cards = comparison.compared([Card("Input", "1"), Card("Spend", "2", change="own")], {"Input": "+1%"})
    assert [card.change for card in cards] == ["+1%", "own"]


def test_nothing_recorded_before_is_not_compared(ledger: Ledger) -> None:
    october = view([("month", "2026-10")], us("2026-11-21T09:00:00+00:00"), None)
    result = report(ledger, october.period, selection=october.selection)
    assert comparison.card_changes(result.total, comparison.before_of(ledger, result, october)) == {}
    assert comparison.card_changes(result.total, None) == {}
    assert comparison.shown(comparison.before_of(ledger, result, october)) is None


def test_cards_of_a_month_say_what_the_month_before_had(ledger: Ledger, november: PageQuery) -> None:
    result = report(ledger, november.period, selection=november.selection)
    changes = comparison.card_changes(result.total, comparison.before_of(ledger, result, november))
    assert comparison.shown(comparison.before_of(ledger, result, november)) is not None
    assert (changes["Input"], changes["Failed"]) == ("+4,975% against 8", "none before")


def test_tables_of_days_have_none_beside_them(ledger: Ledger, november: PageQuery) -> None:
    days = report(ledger, november.period, ("day",), selection=november.selection)
    assert comparison.shown(comparison.before_of(ledger, days, november)) is None


def test_a_period_without_an_end_has_none_before(ledger: Ledger) -> None:
    open_ended = view([("since", "2026-11-01")], 0, None)
    assert comparison.before_of(ledger, report(ledger, open_ended.period), open_ended) is None
