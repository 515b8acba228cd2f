"""Differences by model, meter, key and label each add up to the difference of the totals."""

from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.ledger import Ledger, Selection, open_ledger
from gembill.money import unit_price
from gembill.period import Period, parse, zone
from gembill_reports.analysis.report import report
from gembill_reports.analysis.what_changed import Comparison, Spend, WhatChanged, what_changed
from tests.gembill_reports.making import FLASH, PRO, call, put

OCTOBER, NOVEMBER = parse(month="2026-10"), parse(month="2026-11")
INPUT = unit_price("0.50")


def compared(ledger: Ledger, *labels: str, selection: Selection | None = None) -> WhatChanged:
    return what_changed(ledger, (NOVEMBER, OCTOBER), labels, selection=selection)


def differences(comparison: Comparison) -> dict[str | None, int]:
    return {one.value: one.difference_pico for one in comparison.changes}


def fill(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-10-15T10:00:00+00:00", (800, 0, 0), labels={"team": "a"}, key="k1"),
        call("2026-10-16T10:00:00+00:00", (100, 0, 100), PRO, labels={"team": "b"}, key="k2"),
        call("2026-11-15T10:00:00+00:00", (100, 100, 0), labels={"team": "b"}, key="k1"),
        call("2026-11-16T10:00:00+00:00", (900, 0, 0), labels={"team": "b", "env": "x"}, key="k1"),
        call("2026-11-16T11:00:00+00:00", (5, 5, 5), "nobody-knows"),
        call("2026-11-16T12:00:00+00:00", None, labels={"team": "a"}),
    )


def test_the_largest_change_comes_first_whatever_its_sign(ledger: Ledger) -> None:
    fill(ledger)
    by_model, by_meter, by_key, by_team = compared(ledger, "team").comparisons
    pro = -(100 * unit_price("2.00") + 100 * unit_price("12.00"))
    assert list(differences(by_model).items()) == [(PRO, pro), (FLASH, 300 * INPUT), ("nobody-knows", 0)]
    assert [one.by for one in (by_model, by_meter, by_key, by_team)] == ["model", "meter", "key", "label.team"]
    assert differences(by_team) == {"a": -800 * INPUT, "b": 1100 * INPUT + pro, None: 0}
    assert differences(by_key) == {"k1": 300 * INPUT, "k2": pro, None: 0}
    assert differences(by_meter)["intermediate"] == 100 * INPUT


def test_cost_that_is_not_known_counts_as_nothing_and_is_said(ledger: Ledger) -> None:
    fill(ledger)
    unknown = compared(ledger).comparisons[0].changes[-1]
    assert unknown.now == Spend(calls=1, unpriced_calls=1)
    assert not unknown.now.is_known
    assert unknown.before.is_known
    assert compared(ledger).total.now.unpriced_calls == 1
    assert compared(ledger).total.now.incomplete_calls == 1


def test_the_totals_are_those_of_reports(ledger: Ledger) -> None:
    fill(ledger)
    total = compared(ledger, "team", "env").total
    for spend, period in ((total.now, NOVEMBER), (total.before, OCTOBER)):
        wanted = report(ledger, period).total
        assert (spend.cost_pico, spend.calls) == (wanted.cost_pico, wanted.calls)


def test_a_filter_reaches_both_periods(ledger: Ledger) -> None:
    fill(ledger)
    changed = compared(ledger, selection=Selection(models=(PRO,), start_us=0, end_us=1))
    assert (changed.total.before.calls, changed.total.now.calls) == (1, 0)


def test_nothing_against_nothing_is_no_change(ledger: Ledger) -> None:
    changed = compared(ledger, "team")
    assert changed.total.difference_pico == 0
    assert all(one.changes == () for one in changed.comparisons)


CALLS = st.tuples(
    st.integers(0, 59),
    st.sampled_from([FLASH, PRO, "nobody-knows"]),
    st.tuples(*[st.integers(0, 10**9)] * 3) | st.none(),
    st.dictionaries(st.sampled_from(["team", "env", "run"]), st.sampled_from("abc"), max_size=3),
    st.sampled_from([None, "k1", "k2"]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(CALLS, max_size=12), st.integers(0, 7200))
def test_the_rows_of_every_comparison_add_up_exactly(calls: list[tuple], shift: int) -> None:
    with TemporaryDirectory() as folder:
        ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
        try:
            add_up(ledger, calls, shift)
        finally:
            ledger.close()


def add_up(ledger: Ledger, calls: list[tuple], shift: int) -> None:
    for day, model, split, labels, key in calls:
        at = f"2026-{10 + day // 30}-{1 + day % 30:02d}T10:00:00+00:00"
        put(ledger, call(at, split, model, labels=labels, key=key))
    border = (NOVEMBER.start_us or 0) + shift * 1_000_000  # also where it cuts an hour
    now, before = Period(border, NOVEMBER.end_us, zone()), Period(OCTOBER.start_us, border, zone())
    changed = what_changed(ledger, (now, before), ("team", "env", "run"))
    for comparison in changed.comparisons:
        assert sum(differences(comparison).values()) == changed.total.difference_pico
        if comparison.by != "meter":
            assert sum(one.now.calls for one in comparison.changes) == changed.total.now.calls
            assert sum(one.before.calls for one in comparison.changes) == changed.total.before.calls
