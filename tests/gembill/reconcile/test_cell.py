"""Both sides arrive at the same cell."""

import pytest

from gembill.model import Meter, Modality
from gembill.reconcile.cell import BillMeter, Naming, generation
from gembill.reconcile.sku import read
from gembill.reconcile.synthetic import BillOptions, make_bill
from tests.gembill.reconcile.ledgers import BOOK, FIRST, totals, usage

NAMING = Naming(BOOK)


@pytest.mark.parametrize(
    ("sku", "charges"),
    [
        ("Generate content input token count gemini 3.7 flash text", {"meter": Meter.INTERMEDIATE}),
        ("Generate content output token count gemini 3.7 flash text", {"meter": Meter.THINKING}),
        (
            "Generate content input token count gemini 3.7 flash image flex caching",
            {"meter": Meter.CACHED_INPUT, "modality": Modality.IMAGE, "service_tier": "flex"},
        ),
        (
            "Generate content output token count gemini 3 pro long text",
            {"model": "gemini-3.1-pro-preview", "meter": Meter.OUTPUT, "long": True},
        ),
        ("Generate content search query gemini 3 free", {"meter": Meter.GROUNDING}),
        ("Generate content maps grounding gemini 2.0 flash", {"model": "gemini-2.5-pro", "meter": Meter.MAPS}),
        ("Generate content search query gemini 3.5 flash paid one", {"meter": Meter.GROUNDING}),
    ],
)
def test_an_sku_and_its_charges_meet(sku, charges):
    assert NAMING.of_sku(read(sku), FIRST) == NAMING.of_usage(usage(**charges), FIRST)


def test_an_sku_and_its_charges_meet_in_the_place_that_both_name():
    sku = read("Generate content input token count gemini 3.7 flash text")
    made = make_bill([usage(project=name, location=name) for name in "ab"], [], BOOK, BillOptions())
    charges = [usage(project=name, location="b") for name in "ab"]
    naming = NAMING.told_apart([(FIRST, sku, total) for total in totals(made)], [(FIRST, one) for one in charges])
    cells = [naming.of_line(sku, total, FIRST) for total in totals(made)]
    assert [(cell.project, cell.location) for cell in cells] == [("a", "a"), ("b", "b")]
    assert [naming.of_usage(one, FIRST).project for one in charges] == ["a", "b"]
    assert naming.price(cells[0]) == naming.price(NAMING.of_sku(sku, FIRST))
    assert NAMING.of_line(sku, totals(made)[0], FIRST) == NAMING.of_sku(sku, FIRST)


def test_a_band_counts_only_where_the_bill_or_the_list_has_one():
    assert not NAMING.of_usage(usage(long=True), FIRST).long
    banded = Naming.of(BOOK, [(read("Generate content input token count gemini 3.7 flash long text"), FIRST)])
    assert banded.of_usage(usage(long=True), FIRST).long
    flat = Naming.of(BOOK, [(read("Generate content input token count gemini 3 pro text"), FIRST)])
    assert not flat.of_usage(usage(model="gemini-3.1-pro-preview", long=True), FIRST).long


def test_film_has_no_cell_and_no_price():
    assert NAMING.of_sku(read("Veo Generation 4k with Audio"), FIRST) is None
    film = NAMING.of_usage(usage(meter=Meter.VIDEO_SECONDS, cost_pico=5), FIRST)
    assert (film.meter, NAMING.price(film)) == (BillMeter.OTHER, None)


def test_a_price_is_that_of_the_list():
    cell = NAMING.of_usage(usage(), FIRST)
    assert NAMING.price(cell) == usage(quantity=1).cost_pico


def test_fees_go_by_generation():
    assert generation("gemini-3.7-flash") == "gemini-3"
    assert generation("gemini-2.0-flash") == "gemini-2.5"
    assert generation("other") == "other"
