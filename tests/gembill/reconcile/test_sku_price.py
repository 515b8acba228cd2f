"""Which price row an SKU means."""

import pytest

from gembill.model import Price
from gembill.period import instant, zone
from gembill.reconcile.sku import Sku, read
from gembill.reconcile.sku_price import price_of
from gembill.rules.prices import NoPrice, bundled


def priced(text: str, day: str = "2026-11-28") -> Price | NoPrice:
    sku = read(text)
    assert isinstance(sku, Sku), sku
    return price_of(bundled(), sku, instant(day, zone()))


@pytest.mark.parametrize(
    ("text", "price_id"),
    [
        (
            "Generate content output token count gemini 3.6 flash text",
            "gemini-3.6-flash/output/text/standard/0@2026-07-21",
        ),
        (
            "Generate content input token count gemini 3 pro long video priority",
            "gemini-3.1-pro-preview/input/video/priority/200000@2026-02-19",
        ),
        (
            "Generate content search query gemini 3 paid one",
            "gemini-3-flash-preview/grounding/text/standard/0@2026-01-05",
        ),
        ("Generate content maps grounding gemini 2.5 paid one", "gemini-2.5-flash/maps/text/standard/0@2025-06-17"),
        (
            "Generate_content cached text storage token hours for gemini 3 flash",
            "gemini-3-flash-preview/storage/text/standard/0@2026-01-05",
        ),
        (
            "Embed content input token count gemini embedding 2 image batch",
            "gemini-embedding-2/input/image/batch/0@launch",
        ),
    ],
)
def test_an_sku_means_one_row(text: str, price_id: str) -> None:
    price = priced(text)
    assert isinstance(price, Price), price
    assert price.id == price_id


def test_the_bill_called_the_earlier_model_by_the_same_name() -> None:
    text = "Generate_content text output token count for gemini 3 pro short"
    prices = [priced(text, day) for day in ("2025-12-28", "2026-06-28")]
    assert [price.model for price in prices if isinstance(price, Price)] == [
        "gemini-3-pro-preview",
        "gemini-3.1-pro-preview",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Generate content search query gemini 3 free", "it carries the free allowance, at no price"),
        ("Veo Generation 4k with Audio", "it names no model"),
        ("Gemini ER1.6 Image Input - Online Predictions", "no price is known for the model 'gemini-robotics-er-1.6-preview'"),
    ],
)  # fmt: skip
def test_an_sku_without_a_row_says_why(text: str, reason: str) -> None:
    assert priced(text) == NoPrice(reason)
