"""A comparison as scripts and people read it.

Owns: its JSON, CSV and table, and the words for what was changed. Not here: any number. Invariant: what could not be
compared is named below every table and in every JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gembill.money import usd
from gembill.period import iso, local
from gembill_reports.analysis.what_if import (
    CountedOtherwise,
    NotCharged,
    Reason,
    Uncompared,
    UnderPolicy,
    WhatIf,
    WhatIfRow,
)
from gembill_reports.layout.sheet import DEMO, Sheet, count, money
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = ("model", "calls", "now_usd", "then_usd", "difference_usd")
_COLUMNS = (
    Column("Model", text=True),
    Column("Calls", 40),
    Column("As charged", 80),
    Column("Then", 70),
    Column("Difference"),
    Column("Change", 30),
)
_COUNTS = "The same counts at other prices: another model may well use more or fewer tokens."
_ONE = {"calls": "call", "tokens": "token", "searches": "search"}
_CACHE = "The share is of the prompt's tokens; fees for keeping an explicit cache are not in it."


@dataclass(frozen=True, slots=True)
class WhatIfView(View):
    """A comparison by model."""

    comparison: WhatIf

    def json(self) -> dict[str, Any]:
        """The question, the rows, their total, and what could not be compared."""
        comparison = self.comparison
        return {
            "schema_version": SCHEMA_VERSION,
            "period": period_dict(comparison.period),
            "with": _change_dict(comparison),
            "rows": [_row_dict(row) for row in comparison.rows],
            "total": {key: value for key, value in _row_dict(comparison.total).items() if key != "model"},
            "not_compared": [_uncompared_dict(one) for one in comparison.uncompared],
        } | ({"demo_data": True} if comparison.demo else {})

    def csv(self) -> Csv:
        """A row per model."""
        return Csv(_HEADER, map(_row_dict, self.comparison.rows))

    def sheets(self) -> Sequence[Sheet]:
        """One table."""
        comparison, period = self.comparison, self.comparison.period
        mark = DEMO if comparison.demo else ""
        heading = f"{mark}If it had been {in_words(comparison)} · {words(period)} · {period.timezone} · US dollars"
        total = ("Total", *_cells(comparison.total)[1:])
        notes = [_COUNTS, *([_CACHE] if comparison.change.cached is not None else [])]
        notes += ["Not compared, and in neither column:"] if comparison.uncompared else []
        notes += [f"- {_uncompared_words(one)}" for one in comparison.uncompared]
        return [Sheet(heading, Table(_COLUMNS, tuple(map(_cells, comparison.rows)), total), tuple(notes))]


def in_words(comparison: WhatIf) -> str:
    """What was changed: `gemini-4-argon, on the batch tier, 80% cached, at the prices of 2026-12-15`."""
    change, zone = comparison.change, comparison.period.zone
    changes = [change.model] if change.model else []
    changes += [f"on the {change.service_tier} tier"] if change.service_tier else []
    changes += [f"{float(100 * change.cached):g}% cached"] if change.cached is not None else []
    changes += [f"at the prices of {local(change.at_us, zone).date()}"] if change.at_us is not None else []
    return ", ".join(changes)


def reason_text(reason: Reason) -> str:
    """Why something is in neither column, as a sentence without a full stop."""
    match reason:
        case NotCharged.UNPRICED:
            return "recorded without a price; `gembill rerate` helps once there is one"
        case NotCharged.INCOMPLETE:
            return "their tokens are not wholly known; what is known was compared"
        case UnderPolicy(policy):
            return f"charged under the policy {policy}, not by a price"
        case CountedOtherwise(model, other):
            return f"grounding is charged by prompt for one of '{model}' and '{other}', by search for the other"
    return reason.reason


def _cells(row: WhatIfRow) -> tuple[str, ...]:
    difference = ("+" if (row.difference_pico or 0) > 0 else "") + money(row.difference_pico)
    return row.model or MISSING, count(row.calls), money(row.now_pico), money(row.then_pico), difference, _share(row)


def _share(row: WhatIfRow) -> str:
    """The difference in percent, rounded towards zero: what is left of a cost does not read as -100.0%."""
    difference = row.difference_pico
    if not row.now_pico or difference is None:
        return ""
    whole, tenth = divmod(1000 * abs(difference) // row.now_pico, 10)
    sign = "+" if difference > 0 else "-" if difference else ""
    return f"{sign}{whole:,}.{tenth}%"


def _uncompared_words(one: Uncompared) -> str:
    cost = "" if one.cost_pico is None else f" ({money(one.cost_pico)})"
    unit = one.unit if one.quantity != 1 else _ONE[one.unit]
    return f"{one.model or MISSING}: {one.quantity:,} {unit}{cost}: {reason_text(one.reason)}"


def _row_dict(row: WhatIfRow) -> dict[str, Any]:
    return {
        "model": row.model,
        "calls": row.calls,
        "now_usd": usd(row.now_pico),
        "then_usd": usd(row.then_pico),
        "difference_usd": usd(row.difference_pico),
    }


def _uncompared_dict(one: Uncompared) -> dict[str, Any]:
    return {
        "model": one.model,
        "reason": reason_text(one.reason),
        "quantity": one.quantity,
        "unit": one.unit,
        "cost_usd": usd(one.cost_pico),
    }


def _change_dict(comparison: WhatIf) -> dict[str, Any]:
    change = comparison.change
    return {
        "model": change.model,
        "service_tier": change.service_tier,
        "cached_share": None if change.cached is None else str(change.cached),
        "at": None if change.at_us is None else iso(change.at_us, comparison.period.zone),
    }
