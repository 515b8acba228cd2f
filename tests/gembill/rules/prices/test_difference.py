"""Another list held against ours, and accepting what it says."""

from dataclasses import replace

from gembill.model import Meter, Modality
from gembill.money import unit_price
from gembill.period import instant, zone
from gembill.rules.prices import PriceBook, bundled
from gembill.rules.prices.difference import ExternalPrice, accepted, by_model, differences

FLASH = "gemini-2.5-flash"
TODAY, LATER = instant("2026-11-22", zone()), instant("2027-02-01", zone())
INPUT, AUDIO = (Meter.INPUT, Modality.TEXT, 0), (Meter.INPUT, Modality.AUDIO, 0)
OUTPUT = (Meter.OUTPUT, Modality.TEXT, 0)


def stated(model: str = FLASH, start: int | None = TODAY, **figures: str) -> ExternalPrice:
    keys = {"input": INPUT, "audio": AUDIO, "output": OUTPUT}
    prices = {keys[name]: unit_price(figure) for name, figure in figures.items()}
    return ExternalPrice(model=model, service_tier="standard", start_us=start, prices=prices)


def after(said: list[ExternalPrice]) -> PriceBook:
    rows = accepted(said, differences(bundled(), said), "other 1.0", "2026-11-22")
    return PriceBook([replace(row, id=f"sync-2/{row.id}") for row in rows], over=bundled())


def test_the_same_figures_are_not_a_difference() -> None:
    assert differences(bundled(), [stated(input="0.30", output="2.50", audio="1.00")]) == []


def test_another_figure_is_one_with_both_sides() -> None:
    (difference,) = differences(bundled(), [stated(input="0.35", output="2.50")])
    assert (difference.key, difference.ours, difference.theirs) == (INPUT, unit_price("0.30"), unit_price("0.35"))


def test_an_announced_change_that_we_lack_is_a_difference_from_its_day_on() -> None:
    said = [stated(input="0.30"), stated(start=LATER, input="0.60")]
    (difference,) = differences(bundled(), said)
    assert difference.start_us == LATER
    book = after(said)
    for at_us, figure in ((TODAY, "0.30"), (LATER - 1, "0.30"), (LATER, "0.60")):
        price = book.price(FLASH, Meter.INPUT, Modality.TEXT, service_tier="standard", prompt_tokens=1, at_us=at_us)
        assert price.unit_pico == unit_price(figure)  # type: ignore[union-attr]


def test_what_the_other_list_only_implies_does_not_fill_what_we_leave_unknown() -> None:
    unknown = "gemini-4-carbon"
    tier = ExternalPrice(
        model=unknown, service_tier="batch", start_us=TODAY, prices={INPUT: 1}, implied=frozenset({INPUT})
    )
    assert differences(bundled(), [tier]) == []
    assert len(differences(bundled(), [replace(tier, implied=frozenset())])) == 1
    assert len(differences(bundled(), [replace(tier, model="new")])) == 1


def test_accepting_all_leaves_no_difference_and_keeps_the_rest() -> None:
    said = [stated(input="0.35", output="2.60"), stated("brand-new", None, input="1", output="2")]
    assert [name for name, _ in by_model(differences(bundled(), said))] == ["brand-new", FLASH]
    book = after(said)
    assert differences(book, said) == []
    audio = book.price(FLASH, Meter.INPUT, Modality.AUDIO, service_tier="standard", prompt_tokens=1, at_us=TODAY)
    assert audio.unit_pico == unit_price("1.00")  # type: ignore[union-attr]
    long_ago = book.price("brand-new", Meter.INPUT, Modality.TEXT, service_tier="standard", prompt_tokens=1, at_us=0)
    assert long_ago.unit_pico == unit_price("1")  # type: ignore[union-attr]
