"""Files of Google's SKU catalogue: what is read and what is refused."""

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
