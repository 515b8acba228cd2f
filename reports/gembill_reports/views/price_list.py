"""Price rows as scripts and people read them.

Owns: their JSON, CSV and table. Not here: prices, and which rows are shown (`gembill_reports.analysis.price_list`).
Invariant: JSON and CSV hold every row with its exact figure; the table puts meters and kinds of content with the same
price on one line.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.model import Modality, Price
from gembill.money import usd, usd_per_million
from gembill.period import iso, local, zone
from gembill.rules.prices.regional import Uplift
from gembill_reports.analysis.price_list import PriceList
from gembill_reports.layout.sheet import Sheet
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.unit_prices import BY_THE_MILLION, one_of, quoted
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_KINDS = tuple(Modality)
_KINDS_WITH_PRICES = frozenset(Modality) - {Modality.OTHER}
_HEADER = (
    *("id", "model", "service_tier", "meter", "modality", "above_prompt_tokens", "unit", "unit_price_usd"),
    *("usd_per_million", "effective_from", "effective_to", "source", "checked_on"),
)
_COLUMNS = (
    # what tells two prices apart is in columns that never give way
    *(Column("Model", text=True), Column("Tier", text=True), Column("Meter", text=True), Column("USD per 1M")),
    *(Column("From", 70), Column("Until", 65), Column("Checked", 40), Column("Source", 20, text=True)),
)
_NOTES = (
    "Searches and lookups (Maps) are priced per 1,000, storage per million tokens and hour.",
    "A date is the first day of a price, midnight US Pacific; until is not included.",
)
_NOTHING = ("No price row fits. `gembill prices list` without filters shows all.",)


@dataclass(frozen=True, slots=True)
class PriceListView(View):
    """The rows of a price list."""

    prices: PriceList

    def json(self) -> dict[str, Any]:
        """Every row."""
        rows = [price_dict(row) for row in self.prices.rows]
        at = iso(self.prices.at_us, zone())
        regional = [{"model": one.model, "times": str(one.times), "source": one.source} for one in self.prices.uplifts]
        return {"schema_version": SCHEMA_VERSION, "at": at, "prices": rows, "regional": regional}

    def csv(self) -> Csv:
        """Every row."""
        return Csv(_HEADER, map(price_dict, self.prices.rows))

    def sheets(self) -> Sequence[Sheet]:
        """One table; rows that differ only in meter or kind of content are one line."""
        calendar = zone()
        day = local(self.prices.at_us, calendar).date()
        heading = f"Prices in force on {day} · {calendar.key} · US dollars per million tokens"
        notes = (*_NOTES, *_regional(self.prices.uplifts)) if self.prices.rows else _NOTHING
        return [Sheet(heading, Table(_COLUMNS, tuple(map(_line, _alike(self.prices.rows)))), notes)]


def _regional(uplifts: Sequence[Uplift]) -> Iterator[str]:
    for times in dict.fromkeys(one.times for one in uplifts):
        models = ", ".join(one.model for one in uplifts if one.times == times)
        yield f"On regional endpoints of Vertex tokens cost {times} times as much: {models}."


def price_dict(row: Price) -> dict[str, Any]:
    """A row as JSON carries it: US dollars for one of its unit, and for a million where it is quoted so."""
    million = row.meter.unit in BY_THE_MILLION
    return {
        "id": row.id,
        "model": row.model,
        "service_tier": row.service_tier,
        "meter": row.meter.value,
        "modality": row.modality.value,
        "above_prompt_tokens": row.above_prompt_tokens,
        "unit": one_of(row.meter),
        "unit_price_usd": usd(row.unit_pico),
        "usd_per_million": usd_per_million(row.unit_pico) if million else None,
        "effective_from": _iso(row.effective_from_us),
        "effective_to": _iso(row.effective_to_us),
        "source": row.source,
        "checked_on": row.checked_on,
    }


def _alike(rows: Iterable[Price]) -> list[list[Price]]:
    """Rows that go on one line."""
    lines: dict[tuple[Any, ...], list[Price]] = {}
    for row in rows:
        times = (row.effective_from_us, row.effective_to_us)
        about = (row.unit_pico, row.meter.unit, *times, row.source, row.checked_on)
        lines.setdefault((row.model, row.service_tier, row.above_prompt_tokens, *about), []).append(row)
    return list(lines.values())


def _line(same: Sequence[Price]) -> tuple[str, ...]:
    row = same[0]
    meters = dict.fromkeys(one.meter.value.replace("_", " ") for one in same)
    kinds = {one.modality for one in same}
    words = "all" if kinds >= _KINDS_WITH_PRICES else ", ".join(kind.value for kind in _KINDS if kind in kinds)
    above = f", prompts above {row.above_prompt_tokens:,}" if row.above_prompt_tokens else ""
    what = f"{', '.join(meters)} ({words}){above}"
    times = (_day(row.effective_from_us), _day(row.effective_to_us))
    return row.model, row.service_tier, what, quoted(row.meter, row.unit_pico), *times, row.checked_on, row.source


def _iso(at_us: int | None) -> str | None:
    return None if at_us is None else iso(at_us, zone())


def _day(at_us: int | None) -> str:
    return "" if at_us is None else str(local(at_us, zone()).date())
