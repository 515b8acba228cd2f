"""Calls one by one have the groups of the sums, and doubtful ones are counted."""

from gembill.ledger import BillDay, Ledger, Selection, read_doubts, read_usage_of_calls, sum_usage
from tests.gembill.ledger.making import LOST, SPOOL, append, posting, tokens

DAY_US = 86_400_000_000
WEST = -8 * 3_600_000_000
NOON = 20_000 * DAY_US - WEST + DAY_US // 2  # of the local day 20,000
DAY = BillDay(20_000, 20_000 * DAY_US - WEST, 20_001 * DAY_US - WEST)


def test_each_call_has_the_groups_of_the_sums(ledger: Ledger) -> None:
    sizes = (199_990, 200_001, 5)
    append(ledger, SPOOL, [posting(n, occurred_us=NOON, tokens=tokens(input=size)) for n, size in enumerate(sizes, 1)])
    whole = sum_usage(ledger, Selection(), [DAY])
    single = [usage for _, _, usage in read_usage_of_calls(ledger, Selection(), [(0, WEST)])]
    assert {(u.day, u.long, u.lifted, u.meter) for u in single} == {(u.day, u.long, u.lifted, u.meter) for u in whole}
    assert sum(usage.cost_pico for usage in single) == sum(usage.cost_pico for usage in whole)


def test_calls_without_counts_are_doubtful_on_their_day(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=NOON, **LOST), posting(2, occurred_us=NOON)])
    [doubt] = read_doubts(ledger, Selection(), [(0, WEST)])
    assert (doubt.day, doubt.unknown, doubt.partial) == (20_000, 1, 0)
