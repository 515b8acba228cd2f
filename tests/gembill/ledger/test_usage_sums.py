"""Charges by the days of a calendar that is not UTC's."""

import pytest

from gembill.ledger import BillDay, Ledger, Reason, Selection, sum_usage, usage_sums
from gembill.ledger import engine as engines
from gembill.model import Meter
from tests.gembill.ledger.making import SPOOL, UNIT, append, posting, rated, record, tokens

DAY_US = 86_400_000_000
MINUTE = 60_000_000
MIDNIGHT = 20_000 * DAY_US + 8 * 3_600_000_000  # of the local day 20,000
NOON = MIDNIGHT + DAY_US // 2
DAYS = [BillDay(20_000 + n, MIDNIGHT + n * DAY_US, MIDNIGHT + (n + 1) * DAY_US) for n in range(-1, 2)]


def usages(ledger: Ledger, selection: Selection | None = None):
    return sum_usage(ledger, selection or Selection(), DAYS)


def test_an_instant_is_on_the_day_of_the_clock(ledger: Ledger) -> None:
    times = (MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 20 * MINUTE, MIDNIGHT + DAY_US - 15 * MINUTE)
    append(ledger, SPOOL, [posting(number, occurred_us=at) for number, at in enumerate(times, 1)])
    places = [(usage.day, usage.edge) for usage in usages(ledger) if usage.meter is Meter.INPUT]
    assert sorted(places) == [(19_999, 1), (20_000, -1), (20_000, 0), (20_000, 1)]


def test_a_day_has_the_hours_that_the_clock_gives_it(ledger: Ledger) -> None:
    late = MIDNIGHT + DAY_US + 50 * MINUTE  # of a day of 25 hours
    append(ledger, SPOOL, [posting(1, occurred_us=NOON), posting(2, occurred_us=late)])
    longer = [BillDay(20_000, MIDNIGHT, MIDNIGHT + DAY_US + 60 * MINUTE)]
    sums = [usage for usage in sum_usage(ledger, Selection(), longer) if usage.meter is Meter.INPUT]
    assert sorted((usage.day, usage.edge) for usage in sums) == [(20_000, 0), (20_000, 1)]


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


def test_a_day_is_summed_in_pieces_that_leave_nothing_out(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [MIDNIGHT + DAY_US * place // 24 for place in range(24)]
    append(ledger, SPOOL, [posting(number, occurred_us=at) for number, at in enumerate(times, 1)])
    changed = record(3, occurred_us=times[2], tokens=tokens(input=7))
    ledger.correct([(changed, rated(changed.tokens))], reason=Reason.RERATE)
    whole = set(usages(ledger))
    monkeypatch.setattr(usage_sums, "_AT_ONCE", 5)
    assert set(usages(ledger)) == whole
    monkeypatch.setattr(usage_sums, "_AT_ONCE", 1)
    assert set(usages(ledger)) == whole


def test_keys_and_labels_choose_calls(ledger: Ledger) -> None:
    append(
        ledger,
        SPOOL,
        [posting(1, occurred_us=NOON, key="k", labels={}), posting(2, occurred_us=NOON, labels={"team": "a"})],
    )
    whole = sum(usage.quantity for usage in usages(ledger))
    assert sum(usage.quantity for usage in usages(ledger, Selection(keys=("k",)))) == whole // 2
    assert sum(usage.quantity for usage in usages(ledger, Selection(labels={"team": "a"}))) == whole // 2
    assert usages(ledger, Selection(labels={"team": "b"})) == []


def test_sums_beyond_64_bits_are_exact(ledger: Ledger) -> None:
    most = (1 << 63) - 1
    append(ledger, SPOOL, [posting(1, occurred_us=NOON), posting(2, occurred_us=NOON)])
    with engines.writing(ledger.engine) as connection:
        connection.exec_driver_sql(f"UPDATE entry SET quantities = '[{most},{most},{most},{most},{most}]'")
    assert max(usage.quantity for usage in usages(ledger)) == 2 * most
