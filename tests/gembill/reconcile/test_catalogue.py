"""Files of Google's SKU catalogue: what is read and what is refused."""

import json
from pathlib import Path

import pytest

from gembill.errors import ConfigurationError
from gembill.reconcile.catalogue import CatalogueEntry, read_catalogue


@pytest.mark.parametrize("mark", ["\t", ","])
def test_a_file_with_tabs_or_commas_is_read_line_by_line(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "skus"
    lines = [("sku", "unit_price_nano_usd", "unit"), ("Veo Generation", "600000000", "s"), ("Storage", "4500", "h")]
    path.write_text("".join(mark.join(line) + "\n" for line in lines), encoding="utf-8")
    assert read_catalogue(path) == [
        CatalogueEntry("Veo Generation", 600000000, "s"),
        CatalogueEntry("Storage", 4500, "h"),
    ]


def test_what_is_finer_than_a_nano_dollar_is_cut_off_in_the_catalogue() -> None:
    entry = CatalogueEntry("x", 37, "count")
    assert entry.agrees(37_500)
    assert not entry.agrees(38_000)
    assert entry.unit_pico == 37_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sku,price\nx,1\n", "has no column unit_price_nano_usd"),
        ("sku,unit_price_nano_usd,unit\nx,1.5,count\n", "line 2 of .* the price '1.5'"),
        ("sku,unit_price_nano_usd,unit\n,1,count\n", "line 2 of .* has no SKU"),
        ("", "has no column sku"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "skus"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        read_catalogue(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_catalogue(tmp_path / "none")


def sku(
    text: str, *nanos: int, units: str = "0", at: str = "2026-01-01T00:00:00Z", **more: object
) -> dict[str, object]:
    rates = [
        {"startUsageAmount": n, "unitPrice": {"units": units, "nanos": price, **more}} for n, price in enumerate(nanos)
    ]
    expression = {"usageUnit": "count", "displayQuantity": 1_000_000, "tieredRates": rates}
    return {
        "skuId": "0000",
        "description": text,
        "pricingInfo": [{"effectiveTime": at, "pricingExpression": expression}],
    }


def test_pages_of_the_api_are_read_however_they_are_put_together(tmp_path: Path) -> None:
    first, second = {"skus": [sku("a", 75)], "nextPageToken": "x"}, {"skus": [sku("b", 0, 9, units="2")]}
    texts = [json.dumps(first) + "\n" + json.dumps(second, indent=2) + "\n", json.dumps([first, second])]
    texts.append(json.dumps([*first["skus"], *second["skus"]]))  # type: ignore[misc]
    for text in texts:
        path = tmp_path / "skus.json"
        path.write_text(text, encoding="utf-8")
        assert read_catalogue(path) == [CatalogueEntry("a", 75, "count"), CatalogueEntry("b", 2_000_000_000, "count")]


def test_the_latest_terms_and_their_first_price_hold(tmp_path: Path) -> None:
    earlier, later = sku("a", 50), sku("a", 0, 40, 30, at="2026-06-01T00:00:00Z")
    earlier["pricingInfo"] += later["pricingInfo"]  # type: ignore[operator]
    path = tmp_path / "skus.json"
    path.write_text(json.dumps({"skus": [earlier]}), encoding="utf-8")
    assert read_catalogue(path) == [CatalogueEntry("a", 40, "count")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            json.dumps({"skus": [sku("a", 5, currencyCode="EUR")]}),
            "is in EUR; ask the API for it with currencyCode=USD",
        ),
        (json.dumps({"skus": [{"skuId": "7", "pricingInfo": []}]}), "without description, unit or price: 7"),
        (json.dumps({"skus": ["a"]}), "it has no name"),
        ("[1]", "not a page of SKUs"),
        ('{"skus": []} {"skus"', "not JSON from its character 13 on"),
    ],
)
def test_json_of_another_kind_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "skus.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        read_catalogue(path)
