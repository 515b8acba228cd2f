"""What the genai-prices package says, read in our terms."""

import sys

import pytest

from gembill import genai_prices
from gembill.errors import ConfigurationError
from gembill.model import Meter, Modality
from gembill.money import unit_price
from gembill.period import instant, zone
from gembill.rules.prices import PriceBook, bundled
from gembill.rules.prices.difference import ExternalPrice, differences

NOW = instant("2026-11-21T12:00:00", zone())


def stated(model: str, book: PriceBook | None = None) -> list[ExternalPrice]:
    return [one for one in genai_prices.external_prices(book or bundled(), NOW) if one.model == model]


def test_our_bundled_list_says_nothing_else_of_the_models_it_has() -> None:
    differing = differences(bundled(), genai_prices.external_prices(bundled(), NOW))
    known = {(one.model, one.service_tier, one.key[0]) for one in differing if bundled().tiers(one.model)}
    assert known == {
        ("gemini-3.5-flash-lite", "batch", Meter.CACHED_INPUT)
    }  # the page rounds, litellm 1.110.2 does not
    assert {one.model for one in differing} >= {"gemini-2.0-flash-lite", "gemini-live-2.5-flash"}


def test_announced_changes_are_stated_from_their_day_on() -> None:
    output = (Meter.OUTPUT, Modality.TEXT, 0)
    figures = {(one.service_tier, one.start_us): one.prices[output] for one in stated("gemini-4-argon")}
    today, change = instant("2026-11-21", zone()), instant("2026-12-01", zone())
    assert figures == {
        ("standard", today): unit_price("10"),
        ("batch", today): unit_price("5"),
        ("standard", change): unit_price("20"),
        ("batch", change): unit_price("10"),
    }


def test_long_prompts_searches_and_borrowed_meters_are_read() -> None:
    one = next(one for one in stated("gemini-2.5-pro") if one.service_tier == "standard")
    assert one.prices[Meter.INTERMEDIATE, Modality.IMAGE, 200_000] == unit_price("2.50")
    assert one.prices[Meter.THINKING, Modality.TEXT, 200_000] == unit_price("15")
    assert one.prices[Meter.GROUNDING, Modality.TEXT, 0] == 35 * 10**9
    assert (Meter.INPUT, Modality.AUDIO, 0) in one.implied
    image = next(one for one in stated("gemini-3-pro-image") if one.service_tier == "standard")
    assert image.prices[Meter.OUTPUT, Modality.IMAGE, 0] == unit_price("120")
    assert (Meter.THINKING, Modality.IMAGE, 0) not in image.prices


def test_a_model_that_we_lack_holds_since_its_launch() -> None:
    book = PriceBook([row for row in bundled().rows if row.model != "gemini-4-argon"])
    starts = {one.start_us for one in stated("gemini-4-argon", book)}
    assert starts == {None, instant("2026-12-01", zone())}


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(ConfigurationError, match="is not installed; `python -m pip install genai-prices`"):
        genai_prices.version()
