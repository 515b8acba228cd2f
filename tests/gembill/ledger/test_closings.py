"""Closed months as they are read, on both engines."""

from gembill.ledger import Ledger, close_month, read_closings
from gembill.period import parse
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting

OCTOBER = parse(month="2026-10")


def test_closed_months_are_read_oldest_first_with_their_sums(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=us("2026-10-15T12:00:00+00:00"))])
    october = close_month(ledger, "2026-10", OCTOBER, 1)
    september = close_month(ledger, "2026-09", parse(month="2026-09"), 2)
    assert read_closings(ledger) == [september, october]
    assert october.sums["calls"] == 1
    assert october.sums["tokens_input"] == 100
    assert september.sums["calls"] == 0
    assert october.period == OCTOBER
    assert (october.selection.start_us, october.selection.seen_us) == (OCTOBER.start_us, october.seen_us)


def test_of_none_there_is_an_empty_list(ledger: Ledger) -> None:
    assert read_closings(ledger) == []
