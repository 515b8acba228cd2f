"""A file of Google's SKU catalogue.

Owns: its columns and what a line of it says. Not here: what an SKU's text means (`sku`). Invariant: every line is
an entry or the file is refused with the number of the line.

The file is what the catalogue's API answers, a page or several one after the other, in JSON; or it has tabs or commas
and a first line that names `sku`, `unit_price_nano_usd` (a whole number of nano-dollars for one; the catalogue cuts off
what is finer) and `unit` (`count`, `h`, `s`).
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gembill.errors import ConfigurationError

_COLUMNS = ("sku", "unit_price_nano_usd", "unit")
_PICO_PER_NANO = 1000


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A line: the SKU's text, its list price in nano-dollars for one unit, and the unit."""

    sku: str
    unit_nano: int
    unit: str

    def agrees(self, unit_pico: int) -> bool:
        """Whether a price of ours is this one, of which the catalogue has whole nano-dollars only."""
        return unit_pico // _PICO_PER_NANO == self.unit_nano

    @property
    def unit_pico(self) -> int:
        """The price in pico-dollars, as far as the catalogue has it."""
        return self.unit_nano * _PICO_PER_NANO


def read_catalogue(path: Path) -> list[CatalogueEntry]:
    """The entries of a file; ConfigurationError where it cannot be read or is not such a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the catalogue {path} cannot be read: {error}") from None
    if text.lstrip().startswith(("{", "[")):
        return [_entry(sku, path) for sku in _skus(text, path)]
    return list(_entries(text, path))


def _skus(text: str, path: Path) -> Iterator[Any]:
    """The SKUs of pages that follow one another, of a list of pages, or of a list of SKUs."""
    decoder, at, end = json.JSONDecoder(parse_float=str), 0, len(text.rstrip())
    while at < end:
        try:
            document, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        except (ValueError, RecursionError):
            raise ConfigurationError(f"the catalogue {path} is not JSON from its character {at + 1:,} on") from None
        for page in document if isinstance(document, list) else [document]:
            if not isinstance(page, dict):
                raise ConfigurationError(f"the catalogue {path} has something that is not a page of SKUs")
            yield from [page] if "pricingInfo" in page else page.get("skus", [])


def _entry(sku: Any, path: Path) -> CatalogueEntry:  # noqa: ANN401 - whatever the JSON has
    """The price of an SKU that holds now: of its latest terms the first step that costs anything."""
    try:
        terms = max(sku["pricingInfo"], key=lambda one: str(one.get("effectiveTime", "")))["pricingExpression"]
        steps = [_nano(rate["unitPrice"], path) for rate in terms["tieredRates"]]
        return CatalogueEntry(str(sku["description"]), next(filter(None, steps), 0), str(terms["usageUnit"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        name = sku.get("description") or sku.get("skuId") if isinstance(sku, dict) else None
        raise ConfigurationError(
            f"the catalogue {path} has an SKU without description, unit or price: {name or 'it has no name'}"
        ) from None


def _nano(price: Mapping[str, Any], path: Path) -> int:
    currency = price.get("currencyCode", "USD")
    if currency != "USD":
        raise ConfigurationError(f"the catalogue {path} is in {currency}; ask the API for it with currencyCode=USD")
    return int(price.get("units") or 0) * 10**9 + int(price.get("nanos") or 0)


def _entries(text: str, path: Path) -> Iterator[CatalogueEntry]:
    first = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in first else ",")
    lacking = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
    if lacking:
        raise ConfigurationError(
            f"the catalogue {path} has no column {lacking[0]}; its first line must name {', '.join(_COLUMNS)}"
        )
    for row in rows:
        price = row["unit_price_nano_usd"] or ""
        if not row["sku"] or not (price.isascii() and price.isdigit()):
            raise ConfigurationError(
                f"line {rows.line_num} of {path} has no SKU, or the price '{price}'; write whole nano-dollars for one"
            )
        yield CatalogueEntry(row["sku"], int(price), row["unit"] or "")
