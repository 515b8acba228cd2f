"""A check of prices as scripts and people read it.

Owns: its JSON, CSV and sheets. Not here: the findings (`gembill_reports.analysis.price_check`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.money import usd, usd_per_million
from gembill.period import local, zone
from gembill.rules.prices.sources import rank_of
from gembill_reports.analysis.price_check import ComingPrice, ComingShutDown, DisputedPrice, PriceCheck, PriceGap
from gembill_reports.layout.sheet import Sheet, count, money
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.unit_prices import quoted
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = ("kind", "model", "service_tier", "date", "count", "now_usd", "then_usd", "detail")


@dataclass(frozen=True, slots=True)
class PriceCheckView(View):
    """The findings of a check."""

    check: PriceCheck

    def json(self) -> dict[str, Any]:
        """All findings."""
        check = self.check
        return {
            "schema_version": SCHEMA_VERSION,
            "in_order": check.in_order,
            "gaps": [_gap_dict(one) for one in check.gaps],
            "stale": [{"model": one.model, "checked_on": one.checked_on, "rows": one.rows} for one in check.stale],
            "month": period_dict(check.month),
            "coming": [_coming_dict(one) for one in check.coming],
            "shut_downs": [_shut_down_dict(one) for one in check.shut_downs],
            "disputed": [_disputed_dict(one) for one in check.disputed],
        }

    def csv(self) -> Csv:
        """A row for each finding."""
        return Csv(_HEADER, _rows(self.check))

    def sheets(self) -> Sequence[Sheet]:
        """Gaps, stale rows, changes, shut-downs, disputes; a table without a finding is one sentence."""
        check = self.check
        return [_gaps(check), _stale(check), _coming(check), _shut_downs(check), _disputed(check)]


def _gaps(check: PriceCheck) -> Sheet:
    columns = (Column("Model", text=True), Column("Tier", text=True), Column("Unpriced"), Column("Why", text=True))
    rows = tuple((one.model or MISSING, one.service_tier, count(one.calls), _reason(one)) for one in check.gaps)
    notes = ("`gembill prices set` or `gembill prices sync` add a price, `gembill rerate` then charges these calls.",)
    return Sheet("Gaps: models called without a price", Table(columns, rows), notes if rows else ("None.",))


def _stale(check: PriceCheck) -> Sheet:
    columns = (Column("Model", text=True), Column("Checked on"), Column("Rows"))
    rows = tuple((one.model, one.checked_on, count(one.rows)) for one in check.stale)
    notes = ("`gembill prices sync` compares them with the genai-prices package.",)
    return Sheet(f"Prices not checked for {check.days} days", Table(columns, rows), notes if rows else ("None.",))


def _coming(check: PriceCheck) -> Sheet:
    columns = (
        *(Column("From"), Column("Model", text=True), Column("Input", 50), Column("Output", 60)),
        *(Column("Today's prices", 80), Column("Then", 70), Column("Difference")),
    )
    rows = tuple(_coming_cells(one) for one in check.coming)
    last = (
        f"What the tokens of {words(check.month)} cost at the prices of today and at those announced, as far as priced."
    )
    hidden = "Where there is no amount a price of your own stays in force; set it again if it should follow the list."
    notes = (last, *((hidden,) if any(one.hidden for one in check.coming) else ())) if rows else ("None announced.",)
    return Sheet("Changes coming up for models called", Table(columns, rows), notes)


def _shut_downs(check: PriceCheck) -> Sheet:
    columns = (Column("From"), Column("Model", text=True), Column("Days left"), Column("Calls of 31 days"))
    rows = tuple(
        (str(one.shut_down.day), one.shut_down.model, count(one.days), count(one.calls)) for one in check.shut_downs
    )
    return Sheet("Models that will be shut down", Table(columns, rows), () if rows else ("None announced.",))


def _disputed(check: PriceCheck) -> Sheet:
    columns = (
        *(Column("Model", text=True), Column("Tier", text=True), Column("Meter", text=True)),
        *(Column("Ours"), Column("By", text=True), Column("Theirs"), Column("By", text=True)),
    )
    rows = tuple(_disputed_cells(one) for one in check.disputed)
    notes = (
        "The price in force is ours. What was billed counts more than the catalogue, and that more than packages.",
    )
    return Sheet("Prices about which sources disagree", Table(columns, rows), notes if rows else ("None.",))


def _disputed_cells(one: DisputedPrice) -> tuple[str, ...]:
    row, other = one.ours, one.theirs
    meter = f"{row.meter.value.replace('_', ' ')} ({row.modality.value})"
    figures = (quoted(row.meter, row.unit_pico), _by(row.source), quoted(row.meter, other.unit_pico), _by(other.source))
    return row.model, row.service_tier, meter, *figures


def _by(source: str) -> str:
    return rank_of(source) or source


def _coming_cells(one: ComingPrice) -> tuple[str, ...]:
    figures = tuple(" to ".join(_figure(pico) for pico in pair) for pair in (one.input, one.output))
    if one.now_pico is None or one.then_pico is None:
        return _day(one.at_us), one.model, *figures, "", "", "none"
    difference = one.then_pico - one.now_pico
    amounts = (money(one.now_pico), money(one.then_pico), ("+" if difference > 0 else "") + money(difference))
    return _day(one.at_us), one.model, *figures, *amounts


def _figure(pico: int | None) -> str:
    return "unknown" if pico is None else usd_per_million(pico)


def _rows(check: PriceCheck) -> Iterator[dict[str, Any]]:
    empty = dict.fromkeys(_HEADER)
    for gap in check.gaps:
        named = {"model": gap.model, "service_tier": gap.service_tier, "count": gap.calls, "detail": _reason(gap)}
        yield {**empty, "kind": "gap", **named}
    for stale in check.stale:
        yield {**empty, "kind": "stale", "model": stale.model, "date": stale.checked_on, "count": stale.rows}
    for one in check.coming:
        amounts = {"now_usd": usd(one.now_pico), "then_usd": usd(one.then_pico)}
        detail = "hidden by a price of your own" if one.hidden else None
        yield {**empty, "kind": "coming", "model": one.model, "date": _day(one.at_us), **amounts, "detail": detail}

    for end in check.shut_downs:
        named = {"model": end.shut_down.model, "date": str(end.shut_down.day), "count": end.calls}
        yield {**empty, "kind": "shut_down", **named, "detail": end.shut_down.source}
    for dispute in check.disputed:
        row, other = dispute.ours, dispute.theirs
        figures = f"{row.id}: {usd(row.unit_pico)} by {row.source}; {usd(other.unit_pico)} by {other.source}"
        yield {**empty, "kind": "disputed", "model": row.model, "service_tier": row.service_tier, "detail": figures}


def _gap_dict(gap: PriceGap) -> dict[str, Any]:
    return {
        "model": gap.model,
        "service_tier": gap.service_tier,
        "unpriced_calls": gap.calls,
        "reason": _reason(gap),
    }


def _coming_dict(one: ComingPrice) -> dict[str, Any]:
    def pair(figures: tuple[int | None, int | None]) -> list[str | None]:
        return [usd_per_million(pico) for pico in figures]

    return {
        "model": one.model,
        "date": _day(one.at_us),
        "input_usd_per_million": pair(one.input),
        "output_usd_per_million": pair(one.output),
        "last_month_now_usd": usd(one.now_pico),
        "last_month_then_usd": usd(one.then_pico),
        "hidden_by_own_price": one.hidden,
    }


def _shut_down_dict(one: ComingShutDown) -> dict[str, Any]:
    day, source = str(one.shut_down.day), one.shut_down.source
    return {"model": one.shut_down.model, "date": day, "days": one.days, "calls": one.calls, "source": source}


def _disputed_dict(one: DisputedPrice) -> dict[str, Any]:
    return {
        "price_id": one.ours.id,
        "model": one.ours.model,
        "service_tier": one.ours.service_tier,
        "meter": one.ours.meter.value,
        "modality": one.ours.modality.value,
        "ours_usd": usd(one.ours.unit_pico),
        "ours_source": one.ours.source,
        "theirs_usd": usd(one.theirs.unit_pico),
        "theirs_source": one.theirs.source,
    }


def _day(at_us: int) -> str:
    return str(local(at_us, zone()).date())


def _reason(gap: PriceGap) -> str:
    return gap.reason or "recorded without a price; `gembill rerate` prices them if there is one by now"
