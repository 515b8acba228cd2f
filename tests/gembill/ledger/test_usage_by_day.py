"""Charges by the days of a calendar that is not UTC's."""

from gembill.ledger import Ledger, Reason, Selection, sum_usage
from gembill.model import Meter
from tests.gembill.ledger.making import SPOOL, UNIT, append, posting, rated, record, tokens

DAY_US = 86_400_000_000
MINUTE = 60_000_000
WEST = -8 * 3_600_000_000
NOON = 20_000 * DAY_US - WEST + DAY_US // 2  # of the local day 20,000


def usages(ledger: Ledger, offsets=((0, WEST),)):
    return sum_usage(ledger, Selection(), offsets)


def test_an_instant_is_on_the_day_of_the_clock(ledger: Ledger) -> None:
    midnight = 20_000 * DAY_US - WEST
    times = (midnight - 1, midnight, midnight + 20 * MINUTE, midnight + DAY_US - 15 * MINUTE)
    append(ledger, SPOOL, [posting(number, occurred_us=at) for number, at in enumerate(times, 1)])
    places = [(usage.day, usage.edge) for usage in usages(ledger) if usage.meter is Meter.INPUT]
    assert places == [(19_999, 1), (20_000, -1), (20_000, 0), (20_000, 1)]


def test_the_clock_may_change_in_between(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=NOON), posting(2, occurred_us=NOON + DAY_US)])
    changed = usages(ledger, ((0, WEST), (NOON + 1, WEST + DAY_US)))
    assert {usage.day for usage in changed} == {20_000, 20_002}


def test_what_policies_move_is_apart(ledger: Ledger) -> None:
    sizes = (199_990, 200_001, 5)
    postings = [posting(n, occurred_us=NOON, tokens=tokens(input=size)) for n, size in enumerate(sizes, 1)]
    append(ledger, SPOOL, postings)
    by_band = {(u.long, u.lifted): u.quantity for u in usages(ledger) if u.meter is Meter.INPUT}
    assert by_band == {(False, True): 199_990, (True, False): 200_001, (False, False): 5}


def test_corrections_are_net(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1, occurred_us=NOON)])
    changed = record(1, occurred_us=NOON, tokens=tokens(input=7), project="p")
    ledger.correct([(changed, rated(changed.tokens))], reason=Reason.RERATE)
    [usage] = [usage for usage in usages(ledger) if usage.meter is Meter.INPUT]
    assert (usage.quantity, usage.cost_pico, usage.project, usage.grounded) == (7, 7 * UNIT, "p", False)
