"""Prices of a user's own, over list prices that change and that depend on the prompt."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.money import unit_price
from gembill.period import instant, zone
from gembill.rules.prices import NoPrice, PriceBook, bundled
from gembill.rules.prices.negotiated import ContractTerms, discounted, negotiated

ARGON, PRO, FLASH = "gemini-4-argon", "gemini-2.5-pro", "gemini-2.5-flash"


def day(text: str) -> int:
    return instant(text, zone())


def frame(model: str, start: str, end: str | None = None, tier: str = "standard") -> ContractTerms:
    return ContractTerms(
        model=model,
        service_tier=tier,
        start_us=day(start),
        end_us=None if end is None else day(end),
        source="contract 7",
        checked_on="2026-11-21",
    )


def cost(book: PriceBook, model: str, meter: Meter, at: str, kind: Modality = Modality.TEXT, prompt: int = 1) -> int:
    row = book.price(model, meter, kind, service_tier="standard", prompt_tokens=prompt, at_us=day(at))
    assert not isinstance(row, NoPrice), row
    return row.unit_pico


def over(rows: list[Price]) -> PriceBook:
    return PriceBook([replace(row, id=f"set-1/{row.id}") for row in rows], over=bundled())


def test_a_discount_follows_the_changes_of_list_price_that_are_known() -> None:
    book = over(discounted(bundled(), frame(ARGON, "2026-11-25"), Decimal(15)))
    assert cost(book, ARGON, Meter.OUTPUT, "2026-11-24") == unit_price("10")
    assert cost(book, ARGON, Meter.OUTPUT, "2026-11-25") == unit_price("10") * 85 // 100
    assert cost(book, ARGON, Meter.OUTPUT, "2026-12-01") == unit_price("20") * 85 // 100
    assert cost(book, ARGON, Meter.GROUNDING, "2026-12-01") == 14 * 10**9 * 85 // 100


def test_a_discount_says_where_it_comes_from_and_ends_when_agreed() -> None:
    rows = discounted(bundled(), frame(ARGON, "2026-11-25", "2026-12-05"), Decimal("2.5"))
    assert all(row.source.startswith("contract 7, 2.5% off: ") for row in rows)
    assert cost(over(rows), ARGON, Meter.INPUT, "2026-12-04") == unit_price("4") * 975 // 1000
    assert cost(over(rows), ARGON, Meter.INPUT, "2026-12-05") == unit_price("4")


def test_a_discount_that_gives_no_exact_price_is_refused() -> None:
    with pytest.raises(PriceError, match="not an exact price; set the price itself"):
        discounted(bundled(), frame(FLASH, "2026-12-01"), Decimal("33.33333"))
    with pytest.raises(PriceError, match="a discount needs a list price, but no price is known for the model 'x'"):
        discounted(bundled(), frame("x", "2026-12-01"), Decimal(5))


def test_agreed_prices_hold_for_every_kind_that_had_the_price_of_text() -> None:
    rows = negotiated(bundled(), frame(FLASH, "2026-12-01"), {"input": unit_price("0.20")})
    book = over(rows)
    for meter in (Meter.INPUT, Meter.INTERMEDIATE):
        assert cost(book, FLASH, meter, "2026-12-01") == unit_price("0.20")
        assert cost(book, FLASH, meter, "2026-12-01", Modality.IMAGE) == unit_price("0.20")
        assert cost(book, FLASH, meter, "2026-12-01", Modality.AUDIO) == unit_price("1.00")
    assert cost(book, FLASH, Meter.OUTPUT, "2026-12-01") == unit_price("2.50")
    assert cost(book, FLASH, Meter.CACHED_INPUT, "2026-12-01") == unit_price("0.03")
    assert cost(book, FLASH, Meter.INPUT, "2026-11-30") == unit_price("0.30")


def test_thinking_goes_with_output_and_audio_can_have_a_figure() -> None:
    rates = {"output": unit_price("2.20"), "input_audio": unit_price("0.90"), "grounding": 10**9}
    book = over(negotiated(bundled(), frame(FLASH, "2026-12-01"), rates))
    assert cost(book, FLASH, Meter.THINKING, "2026-12-01") == unit_price("2.20")
    assert cost(book, FLASH, Meter.INPUT, "2026-12-01", Modality.AUDIO) == unit_price("0.90")
    assert cost(book, FLASH, Meter.INPUT, "2026-12-01") == unit_price("0.30")
    assert cost(book, FLASH, Meter.GROUNDING, "2026-12-01") == 10**9


def test_prices_of_short_prompts_leave_those_of_long_ones_and_the_other_way_round() -> None:
    short = over(negotiated(bundled(), frame(PRO, "2026-12-01"), {"input": unit_price("1.00")}))
    assert cost(short, PRO, Meter.INPUT, "2026-12-01", prompt=200_000) == unit_price("1.00")
    assert cost(short, PRO, Meter.INPUT, "2026-12-01", prompt=200_001) == unit_price("2.50")
    rows = negotiated(short, frame(PRO, "2026-12-02"), {"input": unit_price("2.00")}, 200_000)
    both = PriceBook([replace(row, id=f"set-2/{row.id}") for row in rows], over=short)
    assert cost(both, PRO, Meter.INPUT, "2026-12-02", prompt=200_000) == unit_price("1.00")
    assert cost(both, PRO, Meter.INPUT, "2026-12-02", prompt=200_001) == unit_price("2.00")


def test_an_unknown_model_has_what_was_set_and_nothing_else() -> None:
    rates = {"input": unit_price("1"), "output": unit_price("2")}
    rows = negotiated(bundled(), frame("ours", "2026-12-01"), rates)
    assert {(row.meter, row.modality) for row in rows if row.meter is Meter.INPUT} == {
        (Meter.INPUT, kind) for kind in set(Modality) - {Modality.OTHER}
    }
    assert all(row.effective_to_us is None for row in rows)
    with pytest.raises(PriceError, match="above 200000 prompt tokens but none below"):
        negotiated(bundled(), frame("ours", "2026-12-01"), rates, 200_000)


@settings(max_examples=40, deadline=None)
@given(model=st.sampled_from(sorted(bundled().models)), percent=st.sampled_from([Decimal(p) for p in (10, 20, 50)]))
def test_a_discount_is_so_much_off_every_row_on_every_day(model: str, percent: Decimal) -> None:
    for tier in bundled().tiers(model):
        listed = bundled().tariff(model, tier, day("2026-11-22"))
        if isinstance(listed, NoPrice):
            continue
        book = over(discounted(bundled(), frame(model, "2026-11-22", tier=tier), percent))
        for at in ("2026-11-22", "2026-12-31", "2027-06-01"):
            for row in bundled().tariff(model, tier, day(at)).rows:  # type: ignore[union-attr]
                prompt = row.above_prompt_tokens + 1
                now = book.price(model, row.meter, row.modality, service_tier=tier, prompt_tokens=prompt, at_us=day(at))
                assert now.unit_pico == row.unit_pico * (100 - int(percent)) // 100  # type: ignore[union-attr]
