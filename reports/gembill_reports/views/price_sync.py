"""Where other people's prices differ from the list, as people read it.

Owns: the two sheets of `gembill prices sync`. Not here: differences (`gembill.rules.prices.difference`). Invariant: no
column gives way that two lines may differ in.
"""

from collections.abc import Iterator

from gembill.model import Meter, Modality
from gembill.money import usd_per_million, usd_per_thousand
from gembill.period import Unit, name, zone
from gembill.rules.prices.difference import PriceDifference, by_model
from gembill_reports.layout.sheet import Sheet
from gembill_reports.layout.tables import Column, Table


def sheets(differences: list[PriceDifference], version: str) -> list[Sheet]:
    """Other figures for things we price, and below them the models that are not in our list, in a line each."""
    new = [(model, ones) for model, ones in by_model(differences) if all(one.ours is None for one in ones)]
    known = [one for one in differences if one.model not in dict(new)]
    return [_otherwise(known, version), _unknown(new)]


def _otherwise(differences: list[PriceDifference], version: str) -> Sheet:
    columns = (
        *(Column("Model", text=True), Column("Tier", text=True), Column("Meter", text=True)),
        *(Column("From"), Column("Ours"), Column("Theirs")),
    )
    notes = ("US dollars per million tokens, searches per thousand. Nothing is added without --accept MODEL or --yes.",)
    heading = f"Where genai-prices {version} differs from the list prices"
    return Sheet(heading, Table(columns, tuple(_lines(differences))), notes if differences else ("Nowhere.",))


def _unknown(models: list[tuple[str, list[PriceDifference]]]) -> Sheet:
    columns = (
        *(Column("Model", text=True), Column("Tiers", text=True)),
        *(Column("Input"), Column("Cached"), Column("Output")),
    )
    notes = ("Text, shortest prompts, as of today; accepting a model adds all its kinds, sizes and announced changes.",)
    rows = tuple(_headline(model, ones) for model, ones in models)
    return Sheet("What the list has no price for at all", Table(columns, rows), notes if models else ("Nothing.",))


def _lines(differences: list[PriceDifference]) -> Iterator[tuple[str, ...]]:
    same: dict[tuple[str, ...], list[str]] = {}
    for one in differences:
        meter, kind, above = one.key
        start = "launch" if one.start_us is None else name(Unit.DAY, one.start_us, zone())
        figures = (_figure(one, one.ours), _figure(one, one.theirs))
        prompts = f", prompts above {above:,}" if above else ""
        key = (one.model, one.service_tier, meter.value, prompts, start, *figures)
        same.setdefault(key, []).append(kind.value)
    for (model, tier, meter_name, prompts, *rest), kinds in same.items():
        yield model, tier, f"{meter_name} ({', '.join(kinds)}){prompts}", *rest


def _headline(model: str, differences: list[PriceDifference]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for one in differences:
        if one.key[1:] == (Modality.TEXT, 0):
            first.setdefault(one.key[0].value, _figure(one, one.theirs))
    tiers = ", ".join(dict.fromkeys(one.service_tier for one in differences))
    return model, tiers, *(first.get(meter.value, "") for meter in (Meter.INPUT, Meter.CACHED_INPUT, Meter.OUTPUT))


def _figure(one: PriceDifference, pico: int | None) -> str:
    """As prices are quoted: per million tokens, per thousand searches."""

    if pico is None:
        return "none"
    return usd_per_thousand(pico) if one.key[0] is Meter.GROUNDING else usd_per_million(pico)
