"""Closed months as they are read, on both engines."""

import json
from dataclasses import replace

import pytest

from gembill.ledger import Ledger, Reason, close_month, read_closings, was_touched
from gembill.period import parse
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens

MIDDLE = us("2026-10-15T12:00:00+00:00")
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


@pytest.mark.parametrize("dated", [True, False], ids=["with its entries", "closed before entries were kept"])
def test_whatever_is_posted_of_a_closed_month_touches_it(ledger: Ledger, *, dated: bool) -> None:
    append(ledger, SPOOL, [posting(seq, occurred_us=MIDDLE + seq) for seq in (1, 2)])
    october = close_month(ledger, "2026-10", OCTOBER, 1)
    if not dated:
        kept = {name: value for name, value in json.loads(october.document).items() if name != "entries"}
        october = replace(october, document=json.dumps(kept))
    assert october.entries == (2 if dated else None)
    assert not was_touched(ledger, october)
    append(ledger, SPOOL, [posting(3, occurred_us=OCTOBER.end_us)])
    assert not was_touched(ledger, october)
    moved = record(3, occurred_us=MIDDLE, labels={"team": "ads"})
    for late in (record(1, occurred_us=MIDDLE + 1, labels={"team": "ads"}), moved):
        ledger.correct([(late, rated(tokens()))], reason=Reason.REPOST)
        assert was_touched(ledger, october)


def test_a_call_that_left_a_closed_month_touches_it(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(seq, occurred_us=MIDDLE + seq) for seq in (1, 2)])
    october = close_month(ledger, "2026-10", OCTOBER, 1)
    gone = record(1, occurred_us=(OCTOBER.start_us or 0) - 1)
    ledger.correct([(gone, rated(tokens()))], reason=Reason.REPOST)
    assert was_touched(ledger, october)


def test_of_none_there_is_an_empty_list(ledger: Ledger) -> None:
    assert read_closings(ledger) == []
