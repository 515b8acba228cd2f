"""Gaps, old checks and changes to come, for the models that were called."""

from dataclasses import replace

from gembill.ledger import Ledger
from gembill.model import Meter
from gembill.money import unit_price
from gembill.period import instant, zone
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import PriceBook, bundled
from gembill.rules.prices.negotiated import ContractTerms, negotiated
from gembill.rules.rating import DEFAULT
from gembill_reports.analysis.price_check import PriceCheck, PriceGap, check, coming_shut_downs, disputed_prices
from tests.gembill.calls import event, put

NOW = instant("2026-11-21T12:00:00", zone())
LIST = PricingTerms(bundled(), DEFAULT)
OCTOBER, NOVEMBER = "2026-10-20T12:00:00+00:00", "2026-11-20T12:00:00+00:00"


def checked(ledger: Ledger, terms: PricingTerms = LIST, days: int = 90) -> PriceCheck:
    return check(ledger, terms, bundled(), NOW, days)


def test_a_ledger_without_calls_is_in_order(ledger: Ledger) -> None:
    findings = checked(ledger)
    assert (findings.gaps, findings.stale, findings.coming, findings.in_order) == ((), (), (), True)


def test_a_model_or_tier_without_a_price_is_a_gap(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, NOVEMBER, "newest"), event(2, NOVEMBER, "gemini-4-carbon", tier="batch"))
    put(ledger, LIST, event(3, NOVEMBER, "gemini-2.5-pro", http_status=500, seen={"usage": None}))
    findings = checked(ledger)
    assert [(gap.model, gap.service_tier, gap.calls) for gap in findings.gaps] == [
        ("gemini-4-carbon", "batch", 1),
        ("newest", "standard", 1),
    ]
    assert not findings.in_order


def test_calls_recorded_without_a_price_that_there_is_by_now_are_a_gap_too(ledger: Ledger) -> None:
    empty = PricingTerms(PriceBook([]), DEFAULT)
    put(ledger, empty, event(1, OCTOBER, "gemini-2.5-pro"))
    (gap,) = checked(ledger).gaps
    assert gap == PriceGap(
        model="gemini-2.5-pro",
        service_tier="standard",
        calls=1,
        reason=None,
    )


def test_rows_checked_long_ago_are_named_only_for_models_called(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, NOVEMBER, "gemini-2.5-flash"))
    book = PriceBook([replace(row, checked_on="2026-08-01") for row in bundled().rows], bundled().aliases)
    (stale,) = checked(ledger, PricingTerms(book, DEFAULT)).stale
    assert (stale.model, stale.checked_on) == ("gemini-2.5-flash", "2026-08-01")
    assert checked(ledger, PricingTerms(book, DEFAULT), days=200).stale == ()


def test_a_change_to_come_is_worked_out_on_last_months_tokens(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, OCTOBER, "gemini-4-argon"), event(2, NOVEMBER, "gemini-4-argon"))
    (coming,) = checked(ledger).coming
    now = 1200 * unit_price("2") + 350 * unit_price("10")
    assert (coming.model, coming.at_us) == ("gemini-4-argon", instant("2026-12-01", zone()))
    assert (coming.input, coming.output) == (
        (unit_price("2"), unit_price("4")),
        (unit_price("10"), unit_price("20")),
    )
    assert (coming.now_pico, coming.then_pico) == (now, 2 * now)
    assert checked(ledger).in_order


def test_a_change_that_a_price_of_ones_own_hides_is_said(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, OCTOBER, "gemini-3.8-flash"))
    frame = ContractTerms(
        model="gemini-3.8-flash",
        service_tier="standard",
        start_us=instant("2026-11-22", zone()),
        source="contract",
        checked_on="2026-11-21",
    )
    rates = {"input": unit_price("0.5"), "cached": unit_price("0.05"), "output": unit_price("3"), "grounding": 10**9}
    rows = [replace(row, id=f"set-1/{row.id}") for row in negotiated(bundled(), frame, rates)]
    flash = [row for row in bundled().rows if row.model == "gemini-3.8-flash"]
    hiding = [row for row in flash if row.service_tier != "standard" or row.meter is Meter.STORAGE]
    book = PriceBook(rows, over=PriceBook([row for row in bundled().rows if row not in hiding], bundled().aliases))
    findings = {coming.at_us: coming for coming in checked(ledger, PricingTerms(book, DEFAULT)).coming}
    assert findings[instant("2026-11-22", zone())].output == (unit_price("3.75"), unit_price("3"))
    assert not findings[instant("2026-11-22", zone())].hidden
    stays = findings[instant("2027-01-01", zone())]
    assert (stays.hidden, stays.now_pico, stays.then_pico) == (True, None, None)
    assert stays.output == (unit_price("3.75"), unit_price("7.50"))


def test_shut_downs_are_announced_until_their_day_with_the_calls_of_the_last_weeks(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, OCTOBER, "gemini-2.5-flash-preview-09-2025"))
    ends = {one.shut_down.model: (one.days, one.calls) for one in checked(ledger).shut_downs}
    assert ends["gemini-2.5-flash"][0] > 0
    assert ends["gemini-2.5-pro"][1] == 0
    assert "gemini-2.0-flash" not in ends
    last, after = (coming_shut_downs(bundled(), instant(day, zone())) for day in ("2026-12-01", "2026-12-02"))
    assert [days for one, days in last if one.model == "gemini-2.5-pro"] == [0]
    assert not [one for one, _ in after if one.model == "gemini-2.5-pro"]


def test_a_price_that_another_source_contradicts_is_named_until_it_ends() -> None:
    models = [
        {one.ours.model for one in disputed_prices(bundled(), instant(day, zone()))}
        for day in ("2026-11-28", "2027-01-01")
    ]
    assert "gemini-robotics-er-2" in models[0]
    assert "gemini-robotics-er-2" not in models[1]
