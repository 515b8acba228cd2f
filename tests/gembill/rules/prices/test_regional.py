"""Regional prices: which rows a regional call has, and how their ids lead back."""

from decimal import Decimal

import pytest

from gembill.model import Meter, Modality, Price
from gembill.rules.prices import PriceBook, bundled, parse
from gembill.rules.prices.regional import global_id, is_regional, regional_row, row_named

BLOCK = """
[models.m]
aliases = ["n"]
[[models.m.prices]]
source = "page"
checked_on = 2026-11-21
input = "0.30"
output = "2.50"
grounding_per_1000_queries = "14"
maps_per_1000 = "14"
image = "0.04"
storage = "1.00"
regional = "x1.1"
[models.plain]
[[models.plain.prices]]
source = "page"
checked_on = 2026-11-21
input = "0.30"
output = "2.50"
"""
TIMES = Decimal("1.1")


def _price(
    book: PriceBook, model: str, meter: Meter, kind: Modality = Modality.TEXT, *, regional: bool = True
) -> Price:
    price = book.price(model, meter, kind, service_tier="standard", prompt_tokens=1, at_us=0, regional=regional)
    assert isinstance(price, Price)
    return price


@pytest.mark.parametrize("name", ["m", "n"])
def test_a_regional_call_has_the_exact_product_and_an_id_that_says_so(name: str) -> None:
    price = _price(parse(BLOCK), name, Meter.INPUT)
    assert (price.id, price.unit_pico) == ("m/input/text/standard/0@launch/regional=x1.1", 330_000)
    assert _price(parse(BLOCK), name, Meter.THINKING).unit_pico == 2_750_000


def test_a_global_call_and_a_model_without_a_known_uplift_have_the_global_price() -> None:
    assert _price(parse(BLOCK), "m", Meter.INPUT, regional=False).id == "m/input/text/standard/0@launch"
    assert _price(parse(BLOCK), "plain", Meter.INPUT).id == "plain/input/text/standard/0@launch"


@pytest.mark.parametrize(
    ("meter", "kind"),
    [
        (Meter.GROUNDING, Modality.TEXT),
        (Meter.MAPS, Modality.TEXT),
        (Meter.IMAGES, Modality.IMAGE),
        (Meter.STORAGE, Modality.TEXT),
    ],
)
def test_fees_pictures_and_storage_have_no_uplift(meter: Meter, kind: Modality) -> None:
    book = parse(BLOCK)
    assert _price(book, "m", meter, kind) == _price(book, "m", meter, kind, regional=False)


def test_an_uplift_holds_over_prices_of_a_users_own() -> None:
    own = parse(
        '[models.m]\n[[models.m.prices]]\nsource = "x"\nchecked_on = 2026-11-21\ninput = "0.20"\n', prefix="own/"
    )
    book = PriceBook(own.rows, over=parse(BLOCK))
    price = _price(book, "m", Meter.INPUT)
    assert (price.id, price.unit_pico) == ("own/m/input/text/standard/0@launch/regional=x1.1", 220_000)


def test_the_id_of_a_regional_row_leads_back_to_the_global_one_and_makes_the_row_again() -> None:
    row = _price(parse(BLOCK), "m", Meter.INPUT, regional=False)
    regional = regional_row(row, TIMES)
    assert global_id(regional.id) == global_id(row.id) == row.id
    assert row_named(regional.id, {row.id: row}) == regional
    assert row_named(row.id, {row.id: row}) == row
    assert row_named(regional.id, {}) is None
    assert is_regional(f"policy/free_tier/{regional.id}")
    assert not is_regional(row.id)
    assert not is_regional(None)


def test_every_regional_product_of_the_bundled_list_is_exact() -> None:
    book = bundled()
    for uplift in book.remarks.uplifts:
        for row in book.rows:
            if row.model == uplift.model:
                assert row.unit_pico * uplift.times % 1 == 0, row.id


def test_the_models_whose_vertex_price_is_lifted_in_regions() -> None:
    assert {one.model for one in bundled().remarks.uplifts} == {
        "gemini-4-argon", "gemini-4-hydrogen", "gemini-3.8-flash", "gemini-3.7-flash", "gemini-3.6-flash",
        "gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.1-flash-lite", "gemini-3.1-flash-image",
    }  # fmt: skip
