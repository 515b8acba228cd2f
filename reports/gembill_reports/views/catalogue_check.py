"""A check against Google's SKU catalogue as scripts and people read it.

Owns: its JSON, CSV and sheets. Not here: the verdicts (`gembill_reports.analysis.catalogue_check`). Invariant: JSON and
CSV have every entry; the table has every entry that does not agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.money import usd
from gembill.period import iso, zone
from gembill_reports.analysis.catalogue_check import CatalogueCheck, CatalogueLine, Verdict
from gembill_reports.layout.sheet import Sheet, count
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.unit_prices import quoted
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = (
    *("verdict", "sku", "model", "service_tier", "meter", "modality", "band", "unit"),
    *("ours_usd", "theirs_usd", "price_id", "reason"),
)
_NOT_COMPARED = {Verdict.UNPRICED: "Read, but without a price in the list", Verdict.UNKNOWN: "Not known what it is"}


@dataclass(frozen=True, slots=True)
class CatalogueCheckView(View):
    """The verdicts on a catalogue."""

    check: CatalogueCheck

    def json(self) -> dict[str, Any]:
        """Every entry and how many have which verdict."""
        return {
            "schema_version": SCHEMA_VERSION,
            "at": iso(self.check.at_us, zone()),
            "in_order": self.check.in_order,
            "counts": {verdict.value: len(self.check.of(verdict)) for verdict in Verdict},
            "entries": [_line_dict(line) for line in self.check.lines],
        }

    def csv(self) -> Csv:
        """A row for each entry."""
        return Csv(_HEADER, map(_line_dict, self.check.lines))

    def sheets(self) -> Sequence[Sheet]:
        """What differs, what has no price, what is not known."""
        return [_differences(self.check), *(_not_compared(self.check, *one) for one in _NOT_COMPARED.items())]


def _differences(check: CatalogueCheck) -> Sheet:
    columns = (
        *(Column("Model", text=True), Column("Tier", text=True), Column("Meter", text=True)),
        *(Column("Ours"), Column("Theirs"), Column("Why", 30, text=True), Column("SKU", 20, text=True)),
    )
    rows = tuple(_difference(line) for line in check.of(Verdict.DIFFERS))
    return Sheet("Where the catalogue differs from the prices in force", Table(columns, rows), tuple(_sums(check)))


def _difference(line: CatalogueLine) -> tuple[str, ...]:
    assert line.price is not None
    row = line.price
    band = f", {line.sku.band.value} prompts" if line.sku and line.sku.band else ""
    meter = f"{row.meter.value.replace('_', ' ')} ({row.modality.value}){band}"
    figures = (quoted(row.meter, row.unit_pico), quoted(row.meter, line.entry.unit_pico))
    return row.model, row.service_tier, meter, *figures, line.reason or "not known", line.entry.sku


def _sums(check: CatalogueCheck) -> Iterator[str]:
    agree, free = len(check.of(Verdict.AGREES)), len(check.of(Verdict.FREE))
    yield f"{count(agree)} of {count(len(check.lines))} entries agree; {count(free)} carry a free allowance."
    yield "US dollars, quoted as in `gembill prices list`. The catalogue cuts off what is finer than a nano-dollar."


def _not_compared(check: CatalogueCheck, verdict: Verdict, heading: str) -> Sheet:
    columns = (Column("SKU", text=True), Column("Model", text=True), Column("Why", text=True))
    rows = tuple((line.entry.sku, _model(line), line.reason or "") for line in check.of(verdict))
    return Sheet(heading, Table(columns, rows), () if rows else ("None.",))


def _model(line: CatalogueLine) -> str:
    return (line.sku and line.sku.model) or MISSING


def _line_dict(line: CatalogueLine) -> dict[str, Any]:
    sku, row = line.sku, line.price
    return {
        "verdict": line.verdict.value,
        "sku": line.entry.sku,
        "model": sku and sku.model,
        "service_tier": sku and sku.tier,
        "meter": sku and sku.meter and sku.meter.value,
        "modality": sku and sku.kind.value,
        "band": sku and sku.band and sku.band.value,
        "unit": line.entry.unit,
        "ours_usd": usd(row.unit_pico) if row else None,
        "theirs_usd": usd(line.entry.unit_pico),
        "price_id": row and row.id,
        "reason": line.reason,
    }
