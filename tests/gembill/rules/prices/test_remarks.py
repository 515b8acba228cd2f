"""What a price list says besides prices: disputes and shut-downs (uplifts: test_regional)."""

import re
from datetime import date

import pytest

from gembill.errors import PriceError
from gembill.model import Meter
from gembill.period import instant, zone
from gembill.rules.prices import PriceBook, bundled, parse
from gembill.rules.prices.sources import rank_of

BLOCK = """
[[models.m.prices]]
from = 2026-07-01
source = "page"
checked_on = 2026-11-21
input = "0.30"
output = "2.50"
"""
MODEL = '[sources]\nsku = "catalogue: of May"\n[models.m]\nshut_down = { on = 2026-12-01, source = "sku" }\n'
DISPUTE = 'disputed = { sku = { "batch.input" = "0.20", output = "3.00" } }\n'


def test_a_dispute_has_the_other_figure_while_the_block_is_in_force_and_decides_nothing() -> None:
    book = parse(MODEL + BLOCK + DISPUTE + BLOCK.replace("2026-07-01", "2026-12-01"))
    stated = [(one.service_tier, one.meter, one.unit_pico, one.source) for one in book.remarks.disputes]
    assert stated == [
        ("batch", Meter.INPUT, 200_000, "catalogue: of May"),
        ("standard", Meter.OUTPUT, 3_000_000, "catalogue: of May"),
    ]
    days = ("2026-06-30", "2026-07-01", "2026-11-30", "2026-12-01")
    assert [book.remarks.disputes[0].holds(instant(day, zone())) for day in days] == [False, True, True, False]
    assert {row.unit_pico for row in book.rows} == {300_000, 2_500_000}


def test_a_model_has_the_day_of_its_shut_down_and_who_says_so() -> None:
    (one,) = parse(MODEL + BLOCK).remarks.shut_downs
    assert (one.model, one.day, one.source) == ("m", date(2026, 12, 1), "catalogue: of May")


def test_remarks_of_a_list_below_stay() -> None:
    assert PriceBook([], over=parse(MODEL + BLOCK)).remarks.shut_downs[0].model == "m"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MODEL.replace(', source = "sku"', "") + BLOCK, "$.models.m.shut_down lacks its day (on) or its source"),
        (MODEL.replace("2026-12-01", '"soon"') + BLOCK, "$.models.m.shut_down.on is 'soon'; it must be a day"),
        (MODEL + BLOCK + 'disputed = { sku = { inputs = "1" } }\n', "disputed.sku.inputs is not a price of the block"),
        (MODEL + BLOCK + 'disputed = { sku = { input = "x" } }\n', "disputed.sku.input is 'x'; it must be US dollars"),
    ],
)
def test_a_remark_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(PriceError, match=re.escape(words)):
        parse(text)


def test_the_bundled_list_knows_the_shut_down_of_2_5_and_the_dispute_about_robotics() -> None:
    remarks = bundled().remarks
    days = {one.model: str(one.day) for one in remarks.shut_downs}
    assert days["gemini-2.5-pro"] == days["gemini-2.5-flash"] == "2026-12-01"
    assert {one.model for one in remarks.disputes} >= {"gemini-robotics-er-2", "gemini-3.7-flash"}
    assert all(rank_of(one.source) for one in (*remarks.disputes, *remarks.shut_downs))
