"""Price rows as scripts and people read them.

Owns: which rows of a book are shown, their JSON, CSV and table. Owns no price. Invariant: JSON and CSV hold every row
with its exact figure; the table puts meters and kinds of content with the same price on one line.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from gembill.model import Meter, Modality, Price
from gembill.money import usd, usd_per_million, usd_per_thousand
from gembill.period import iso, local, zone
from gembill.rules.prices import NoPrice, PriceBook
from gembill_reports.layout.sheet import Sheet
from gembill_reports.layout.tables import Column, Table, csv_lines

SCHEMA_VERSION = 1
_METERS, _KINDS = tuple(Meter), tuple(Modality)
_KINDS_WITH_PRICES = frozenset(Modality) - {Modality.OTHER}
_HEADER = (
    *("id", "model", "service_tier", "meter", "modality", "above_prompt_tokens", "unit", "unit_price_usd"),
    *("usd_per_million", "effective_from", "effective_to", "source", "checked_on"),
)
_COLUMNS = (
    # what tells two prices apart stands in columns that never give way
    *(Column("Model", text=True), Column("Tier", text=True), Column("Meter", text=True), Column("USD per 1M")),
    *(Column("From", 70), Column("Until", 65), Column("Checked", 40), Column("Source", 20, text=True)),
)


def rows(book: PriceBook, at_us: int, models: Sequence[str] = (), tiers: Sequence[str] = ()) -> list[Price]:
    """The rows in force at an instant, by model and tier; models may have `*`, or be another name of one."""
    found: list[Price] = []
    wanted = [book.stands_for(name, at_us) or name for name in models]
    for model in book.models:
        if wanted and not any(fnmatchcase(model, name) for name in wanted):
            continue
        for tier in book.tiers(model):
            tariff = book.tariff(model, tier, at_us)
            if not isinstance(tariff, NoPrice) and (not tiers or tier in tiers):
                found += sorted(tariff.rows, key=_order)
    return found


def json_text(shown: Iterable[Price], at_us: int) -> str:
    """The rows as JSON."""
    shape = {"schema_version": SCHEMA_VERSION, "at": iso(at_us, zone()), "prices": [as_dict(row) for row in shown]}
    return json.dumps(shape, indent=2) + "\n"


def csv_text(shown: Iterable[Price]) -> Iterator[str]:
    """The rows as CSV."""
    return csv_lines(_HEADER, (as_dict(row) for row in shown))


def as_dict(row: Price) -> dict[str, Any]:
    """A row as JSON carries it: US dollars for one token (or one search), and for a million as prices are quoted."""
    search = row.meter is Meter.GROUNDING
    return {
        "id": row.id,
        "model": row.model,
        "service_tier": row.service_tier,
        "meter": row.meter.value,
        "modality": row.modality.value,
        "above_prompt_tokens": row.above_prompt_tokens,
        "unit": "search" if search else "token",
        "unit_price_usd": usd(row.unit_pico),
        "usd_per_million": None if search else usd_per_million(row.unit_pico),
        "effective_from": _iso(row.effective_from_us),
        "effective_to": _iso(row.effective_to_us),
        "source": row.source,
        "checked_on": row.checked_on,
    }


def sheet(shown: Sequence[Price], at_us: int) -> Sheet:
    """The rows as a table."""
    calendar = zone()
    heading = f"Prices in force on {local(at_us, calendar).date()} · {calendar.key} · US dollars per million tokens"
    lines: dict[tuple[Any, ...], list[Price]] = {}
    for row in shown:
        times = (row.effective_from_us, row.effective_to_us)
        about = (row.unit_pico, row.meter is Meter.GROUNDING, *times, row.source, row.checked_on)
        lines.setdefault((row.model, row.service_tier, row.above_prompt_tokens, *about), []).append(row)
    notes = [
        "Searches are priced per 1,000. A date is the first day of a price, midnight US Pacific; until is not included."
    ]
    if not shown:
        notes = ["No price row fits. `gembill prices list` without filters shows all."]
    return Sheet(heading, Table(_COLUMNS, tuple(map(_line, lines.values()))), tuple(notes))


def quoted(row: Price) -> str:
    """The figure as it is quoted: per million tokens, or per thousand searches."""
    if row.meter is Meter.GROUNDING:
        return f"{usd_per_thousand(row.unit_pico)} /1k"
    return usd_per_million(row.unit_pico)


def _line(same: Sequence[Price]) -> tuple[str, ...]:
    row = same[0]
    meters = dict.fromkeys(one.meter.value.replace("_", " ") for one in same)
    kinds = {one.modality for one in same}
    words = "all" if kinds >= _KINDS_WITH_PRICES else ", ".join(kind.value for kind in _KINDS if kind in kinds)
    above = f", prompts above {row.above_prompt_tokens:,}" if row.above_prompt_tokens else ""
    what = f"{', '.join(meters)} ({words}){above}"
    times = (_day(row.effective_from_us), _day(row.effective_to_us))
    return row.model, row.service_tier, what, quoted(row), *times, row.checked_on, row.source


def _order(row: Price) -> tuple[int, int, int]:
    return row.above_prompt_tokens, _METERS.index(row.meter), _KINDS.index(row.modality)


def _iso(at_us: int | None) -> str | None:
    return None if at_us is None else iso(at_us, zone())


def _day(at_us: int | None) -> str:
    return "" if at_us is None else str(local(at_us, zone()).date())
