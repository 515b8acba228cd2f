"""Both sides of a comparison are about the same tokens; what has no other side is named."""

from fractions import Fraction

import pytest

from gembill.ledger import Ledger, Selection
from gembill.money import unit_price
from gembill.period import Period, instant, parse, zone
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import NoPrice, bundled
from gembill.rules.rating import DEFAULT, LongContextCounts, Policies
from gembill_reports.analysis.what_if import (
    CountedOtherwise,
    NotCharged,
    UnderPolicy,
    WhatIf,
    WhatIfChange,
    WhatIfRow,
    compare,
)
from tests.gembill.calls import event, put

LIST = PricingTerms(bundled(), DEFAULT)
PRO, FLASH, FLASH3 = "gemini-2.5-pro", "gemini-2.5-flash", "gemini-3-flash-preview"
OCTOBER = parse(month="2026-10")
AT = "2026-10-20T12:00:00+00:00"


def asked(ledger: Ledger, change: WhatIfChange, period: Period = OCTOBER, terms: PricingTerms = LIST) -> WhatIf:
    return compare(ledger, terms, Selection(), period, change)


def test_another_model_prices_the_same_tokens(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, AT, PRO), event(2, AT, FLASH3))
    comparison = asked(ledger, WhatIfChange(model=FLASH))
    then = 1200 * unit_price("0.30") + 350 * unit_price("2.50")
    pro = 1200 * unit_price("1.25") + 350 * unit_price("10")
    flash3 = 1200 * unit_price("0.50") + 350 * unit_price("3.00")
    assert comparison.rows == (
        WhatIfRow(model=PRO, calls=1, now_pico=pro, then_pico=then),
        WhatIfRow(model=FLASH3, calls=1, now_pico=flash3, then_pico=then),
    )
    assert comparison.total.difference_pico == 2 * then - pro - flash3
    assert comparison.uncompared == ()


def test_the_recorded_model_and_tier_give_no_difference(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, AT, PRO), event(2, AT, PRO, usage={"promptTokenCount": 200_001}))
    assert asked(ledger, WhatIfChange(service_tier="standard")).total.difference_pico == 0
    assert asked(ledger, WhatIfChange(cached=Fraction(0))).total.difference_pico == 0


@pytest.mark.parametrize(("size", "figures"), [(200_000, ("1.25", "10")), (200_001, ("2.50", "15"))])
def test_long_prompts_have_the_other_models_price_of_long_prompts(
    ledger: Ledger, size: int, figures: tuple[str, str]
) -> None:
    put(ledger, LIST, event(1, AT, FLASH, usage={"promptTokenCount": size}))
    into, out = map(unit_price, figures)
    assert asked(ledger, WhatIfChange(model=PRO)).total.then_pico == (size + 200) * into + 350 * out


def test_the_long_prompt_policy_holds_on_the_other_side_too(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, AT, FLASH, usage={"promptTokenCount": 199_900}))
    policies = Policies(long_context_counts=LongContextCounts.PROMPT_AND_INTERMEDIATE)
    comparison = asked(ledger, WhatIfChange(model=PRO), terms=PricingTerms(bundled(), policies))
    assert comparison.total.then_pico == 200_100 * unit_price("2.50") + 350 * unit_price("15")


def test_a_tier_and_an_announced_day_can_be_asked_for_together(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, AT, "gemini-4-argon"))
    day = instant("2026-12-15", zone())
    comparison = asked(ledger, WhatIfChange(service_tier="batch", at_us=day))
    assert comparison.total.now_pico == 1200 * unit_price("2") + 350 * unit_price("10")
    assert comparison.total.then_pico == (1200 * unit_price("4") + 350 * unit_price("20")) // 2


def test_without_a_day_each_call_has_the_price_of_its_own_day(ledger: Ledger) -> None:
    edges = ("2026-11-30T23:59:59-08:00", "2026-12-01T00:00:00-08:00")
    put(ledger, LIST, *(event(n, at, FLASH) for n, at in enumerate(edges, 1)))
    comparison = asked(ledger, WhatIfChange(model="gemini-4-argon"), parse("2026-11-30", "2026-12-02"))
    assert comparison.total.then_pico == 1200 * unit_price("2") + 350 * unit_price("10") + (
        1200 * unit_price("4") + 350 * unit_price("20")
    )


def test_a_share_of_cached_input_moves_tokens_and_never_back(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, AT, FLASH3, usage={"cachedContentTokenCount": 900}))
    into, cached, out = unit_price("0.50"), unit_price("0.05"), unit_price("3.00")
    rest = 200 * into + 350 * out
    assert asked(ledger, WhatIfChange(cached=Fraction(1, 2))).total.then_pico == 100 * into + 900 * cached + rest
    assert asked(ledger, WhatIfChange(cached=Fraction(19, 20))).total.then_pico == 50 * into + 950 * cached + rest
    assert asked(ledger, WhatIfChange(cached=Fraction(1))).total.now_pico == 100 * into + 900 * cached + rest


def test_what_has_no_price_there_is_on_neither_side_and_named(ledger: Ledger) -> None:
    details = [{"modality": "IMAGE", "tokenCount": 100}, {"modality": "TEXT", "tokenCount": 200}]
    image = event(1, AT, "gemini-3-pro-image", usage={"candidatesTokensDetails": details})
    put(ledger, LIST, image, event(2, AT, "gemini-4-carbon"), event(3, AT, "newest"))
    comparison = asked(ledger, WhatIfChange(model=FLASH3))
    lost = {(one.model, one.quantity, one.unit): one for one in comparison.uncompared}
    image_lost = lost["gemini-3-pro-image", 100, "tokens"]
    assert isinstance(image_lost.reason, NoPrice)
    assert "image tokens (output)" in image_lost.reason.reason
    assert image_lost.cost_pico == 100 * unit_price("120")
    assert lost["newest", 1, "calls"].cost_pico is None
    assert comparison.rows[0].now_pico == 1200 * unit_price("2") + 250 * unit_price("12")
    assert comparison.rows[-1] == WhatIfRow(model="newest", calls=1, now_pico=None, then_pico=None)
    assert comparison.total.now_pico == comparison.rows[0].now_pico
    assert asked(ledger, WhatIfChange(model="newest")).total.now_pico is None


def test_searches_are_compared_only_where_both_models_count_them_alike(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, AT, FLASH3, seen={"searches": 2, "grounded": True}))
    alike = asked(ledger, WhatIfChange(model="gemini-3.8-flash"))
    assert alike.total.then_pico == 1200 * unit_price("0.75") + 350 * unit_price("3.75") + 2 * 14 * 10**9
    (lost,) = asked(ledger, WhatIfChange(model=FLASH)).uncompared
    assert (lost.quantity, lost.unit, lost.cost_pico) == (2, "searches", 2 * 14 * 10**9)
    assert lost.reason == CountedOtherwise(FLASH3, FLASH)


def test_prepaid_and_free_calls_are_not_compared_but_named(ledger: Ledger) -> None:
    free = PricingTerms(bundled(), Policies(free_tier_keys=frozenset({"k"})))
    put(ledger, free, event(1, AT, FLASH3, key="k"))
    comparison = asked(ledger, WhatIfChange(model=FLASH))
    assert comparison.total.then_pico == 0
    assert sum(one.quantity for one in comparison.uncompared) == 1550
    assert {one.reason for one in comparison.uncompared} == {UnderPolicy("free_tier")}


def test_calls_whose_tokens_are_not_wholly_known_are_named(ledger: Ledger) -> None:
    from gembill.event import Ending

    put(ledger, LIST, event(1, AT, FLASH3, seen={"usage": None}), event(2, AT, FLASH3))
    assert Ending.FINISHED is event(1).ending
    (lost,) = asked(ledger, WhatIfChange(model=FLASH)).uncompared
    assert (lost.quantity, lost.unit, lost.reason) == (1, "calls", NotCharged.INCOMPLETE)
