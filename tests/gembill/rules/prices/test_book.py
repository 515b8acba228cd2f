"""Which price was in force, and why there is none."""

import random
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import PriceError
from gembill.model import Meter, Modality, Price
from gembill.rules.prices import Alias, NoPrice, PriceBook, bundled, parse
from tests.gembill.pricing import price

ROW = price("0.01", model="m", id="m@0", unit_pico=7, effective_from_us=100, source="page")


def _find(
    book: PriceBook, at_us: int, *, model: str | None = "m", prompt: int = 1, tier: str = "standard"
) -> int | str:
    row = book.price(model, Meter.INPUT, Modality.TEXT, service_tier=tier, prompt_tokens=prompt, at_us=at_us)
    return row.reason if isinstance(row, NoPrice) else row.unit_pico


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Los_Angeles")).timestamp() * 10**6)


def test_a_price_is_in_force_from_its_first_microsecond_to_before_its_end() -> None:
    book = PriceBook([replace(ROW, effective_to_us=200)])
    assert "1969-12-31" in str(_find(book, 99))
    assert [_find(book, at) for at in (100, 199)] == [7, 7]
    assert "no price of 'm' on the standard tier was in force" in str(_find(book, 200))


def test_a_price_without_an_end_is_ended_by_its_successor() -> None:
    book = PriceBook([replace(ROW, id="m@2", effective_from_us=300, unit_pico=9), ROW])
    assert [_find(book, at) for at in (299, 300)] == [7, 9]
    assert [row.effective_to_us for row in book.rows] == [None, 300]


def test_a_gap_between_two_prices_is_unknown() -> None:
    book = PriceBook([replace(ROW, effective_to_us=200), replace(ROW, id="m@2", effective_from_us=300)])
    assert [isinstance(_find(book, at), str) for at in (199, 200, 299, 300)] == [False, True, True, False]


def test_an_open_start_reaches_back_for_ever() -> None:
    assert _find(PriceBook([replace(ROW, effective_from_us=None)]), -(10**15)) == 7


def test_above_a_threshold_the_whole_call_has_the_higher_price() -> None:
    rows = [ROW, replace(ROW, id="m@200", above_prompt_tokens=200, unit_pico=9)]
    book = PriceBook([*rows, replace(ROW, id="m@900", above_prompt_tokens=900, unit_pico=11)])
    assert [_find(book, 100, prompt=size) for size in (0, 200, 201, 900, 901)] == [7, 7, 9, 9, 11]


@pytest.mark.parametrize(
    ("words", "twin"),
    [
        ("is in the list twice", ROW),
        ("overlap", replace(ROW, id="n")),
        ("overlap", replace(ROW, id="n", effective_from_us=50, effective_to_us=101)),
        ("negative figure", replace(ROW, id="n", unit_pico=-1)),
        ("negative figure", replace(ROW, id="n", above_prompt_tokens=-1)),
        ("lacks its source", replace(ROW, id="n", source="")),
        ("lacks its source", replace(ROW, id="n", checked_on="")),
        ("before it begins", replace(ROW, id="n", effective_to_us=100)),
    ],
)
def test_rows_that_contradict_each_other_are_refused(words: str, twin: Price) -> None:
    with pytest.raises(PriceError, match=words):
        PriceBook([ROW, twin])


def test_the_reason_says_what_is_not_known() -> None:
    book = PriceBook([ROW, replace(ROW, id="m@batch", service_tier="batch")])
    assert _find(book, 100, model=None) == "the model that answered is not known"
    assert _find(book, 100, model="m-2") == "no price is known for the model 'm-2'"
    assert _find(book, 100, tier="flex") == "no price is known for 'm' on the flex tier; known tiers: batch, standard"
    row = book.price("m", Meter.OUTPUT, Modality.AUDIO, service_tier="batch", prompt_tokens=1, at_us=100)
    assert row == NoPrice("no price is known for audio tokens (output) of 'm' on the batch tier")
    fee = book.price("m", Meter.GROUNDING, Modality.TEXT, service_tier="batch", prompt_tokens=1, at_us=100)
    assert fee == NoPrice("no price is known for grounding of 'm' on the batch tier")


def test_an_alias_has_the_prices_of_its_model_and_an_unknown_suffix_has_none() -> None:
    book = PriceBook([ROW], [Alias(pattern="m-00#", model="m")])
    assert [_find(book, 100, model=name) for name in ("m-001", "m-009")] == [7, 7]
    for name in ("m-01", "m-0011", "m-00x", "am-001", "m-001-preview", "m-00\u0663"):
        assert _find(book, 100, model=name) == f"no price is known for the model '{name}'"


def test_an_alias_means_what_it_meant_on_the_day() -> None:
    rows = [ROW, replace(ROW, id="n", model="n", unit_pico=9)]
    aliases = [
        Alias(pattern="latest", model="n", effective_from_us=300),
        Alias(pattern="latest", model="m", effective_from_us=200),
    ]
    book = PriceBook(rows, aliases)
    assert [_find(book, at, model="latest") for at in (200, 299, 300)] == [7, 7, 9]
    assert _find(book, 199, model="latest") == "what 'latest' stood for on 1969-12-31 (US Pacific) is not known"


def test_the_prices_of_a_user_win_while_they_are_in_force_and_only_for_what_they_name() -> None:
    text = """
    [models."gemini-2.5-pro"]
    [[models."gemini-2.5-pro".prices]]
    from = 2026-01-01
    until = 2026-02-01
    source = "contract"
    checked_on = 2026-01-01
    input = "1.00"
    output = "unknown"
    """
    base = bundled()
    book = parse(text, prefix="own/", over=base)
    days = ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01")
    prices = [_find(book, _at(day), model="gemini-2.5-pro", prompt=300_000) for day in days]
    assert prices == [2_500_000, 1_000_000, 1_000_000, 2_500_000]
    output = book.price(
        "gemini-2.5-pro", Meter.OUTPUT, Modality.TEXT, service_tier="standard", prompt_tokens=1, at_us=_at("2026-01-10")
    )
    assert isinstance(output, Price)
    assert output.unit_pico == 10_000_000
    assert book.digest != base.digest
    assert len(book.rows) == len(base.rows) + 10  # five kinds of input and as many of intermediate
    assert len(book.layers) == 2


def test_three_layers_keep_their_order() -> None:
    book = PriceBook([ROW])
    for unit in (8, 9):
        book = PriceBook([replace(ROW, id=f"own{unit}", unit_pico=unit)], over=book)
    assert _find(book, 100) == 9


def test_a_user_can_name_an_alias_without_a_price() -> None:
    book = parse('[models."gemini-2.5-pro"]\naliases = ["our-model"]', over=bundled())
    assert _find(book, _at("2026-01-10"), model="our-model") == 1_250_000


def test_the_digest_names_the_content_whatever_the_order() -> None:
    rows = list(bundled().rows)
    random.Random(7).shuffle(rows)
    assert PriceBook(rows, bundled().aliases, remarks=bundled().remarks).digest == bundled().digest
    assert PriceBook(rows, bundled().aliases).digest != bundled().digest
    assert PriceBook([replace(rows[0], unit_pico=rows[0].unit_pico + 1), *rows[1:]]).digest != PriceBook(rows).digest
    assert PriceBook(rows).digest != bundled().digest


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True), st.integers(-5, 60), st.randoms())
def test_of_open_rows_the_newest_that_has_begun_is_in_force(starts: list[int], at: int, chance: random.Random) -> None:
    rows = [replace(ROW, id=str(start), effective_from_us=start, unit_pico=start) for start in starts]
    chance.shuffle(rows)
    begun = [start for start in starts if start <= at]
    row = _find(PriceBook(rows), at)
    assert row == max(begun) if begun else isinstance(row, str)
