"""A file of Google's SKU catalogue.

Owns: its columns and what a line of it says. Not here: what an SKU's text means (`sku`). Invariant: every line is
an entry or the file is refused with the number of the line.

The file has tabs or commas and a first line that names `sku`, `unit_price_nano_usd` (a whole number of nano-dollars for
one; the catalogue cuts off what is finer) and `unit` (`count`, `h`, `s`).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    return list(_entries(text, path))


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
