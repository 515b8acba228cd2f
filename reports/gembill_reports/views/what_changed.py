"""What changed between two periods, as scripts and people read it.

Owns: its JSON, CSV and sentences, and how a difference is written. Not here: the differences
(`gembill_reports.analysis.what_changed`). Invariant: a difference has its sign; JSON and CSV have every digit of it.
"""

from collections.abc import Iterator
from typing import Any

from gembill.money import usd
from gembill_reports.analysis.what_changed import METER, Change, Comparison, Spend, WhatChanged
from gembill_reports.layout.sheet import count, money
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.previous_period import change
from gembill_reports.views.view import Csv

SCHEMA_VERSION = 1
_NAMES = {"output": "output with thinking", "grounding": "search"}
_HEADER = (
    *("by", "value", "before_cost_usd", "cost_usd", "difference_usd", "before_calls", "calls"),
    *("before_unpriced_calls", "unpriced_calls", "before_incomplete_calls", "incomplete_calls"),
)


def what_changed_dict(changed: WhatChanged) -> dict[str, Any]:
    """Both periods, the total and every comparison as JSON carries them."""
    return {
        "schema_version": SCHEMA_VERSION,
        "period": period_dict(changed.now),
        "before": period_dict(changed.before),
        "unfinished": changed.unfinished,
        "total": _change_dict(changed.total),
        "comparisons": [
            {"by": one.by, "rows": [{"value": row.value, **_change_dict(row)} for row in one.changes]}
            for one in changed.comparisons
        ],
    }


def csv_rows(changed: WhatChanged) -> Csv:
    """A row for each row of each comparison."""
    return Csv(_HEADER, list(_rows(changed)))


def sentence(changed: WhatChanged) -> str:
    """What a page begins with: the difference, both costs, and what did most of it."""
    before, now = changed.total.before, changed.total.now
    percent = change(now.cost_pico, before.cost_pico)
    said = f"{difference(changed.total)}{f' ({percent})' if '%' in percent else ''}: "
    said += f"{spent(before)} in {words(changed.before)}, {spent(now)} in {words(changed.now)}."
    causes = [_cause(one) for one in changed.comparisons if len(one.changes) > 1 and one.changes[0].difference_pico]
    return f"{said} Largest changes: {', '.join(causes)}." if causes else said


def notes(changed: WhatChanged) -> list[str]:
    """What has to be known of the numbers."""
    total = changed.total
    lines = []
    if changed.unfinished:
        lines.append(f"{words(changed.now)} is not over: beside it is as much of the one before as has passed of it.")
    lines += [_doubt(words(changed.before), total.before), _doubt(words(changed.now), total.now)]
    return [*filter(None, lines), "The rows of each table add up to the whole difference, exactly."]


def _doubt(period: str, spend: Spend) -> str:
    if not spend.unpriced_calls and not spend.incomplete_calls:
        return ""
    return (
        f"{period}: calls without a price, whose cost is in no sum: {count(spend.unpriced_calls)}; "
        f"calls that may lack tokens: {count(spend.incomplete_calls)}."
    )


def difference(one: Change) -> str:
    """A difference of cost with its sign, unknown where nothing is known of it."""
    pico = one.difference_pico
    return f"+{money(pico)}" if pico > 0 else money(pico if one.is_known else None)


def spent(spend: Spend) -> str:
    """What calls cost, unknown where nothing is known of it."""
    return money(spend.cost_pico if spend.is_known else None)


def title(by: str) -> str:
    """What a comparison is by."""
    return by.removeprefix("label.").replace("_", " ")


def named(by: str, value: str | None) -> str:
    """A value of a comparison in words."""
    return clean(_NAMES.get(value or "", value or "") if by == METER else MISSING if value is None else value)


def _cause(comparison: Comparison) -> str:
    first = comparison.changes[0]
    return f"{title(comparison.by)} {named(comparison.by, first.value)} {difference(first)}"


def _change_dict(one: Change) -> dict[str, Any]:
    return {
        "difference_usd": _difference(one),
        "before": _spend_dict(one.before),
        "now": _spend_dict(one.now),
    }


def _difference(one: Change) -> str | None:
    return usd(one.difference_pico) if one.is_known else None


def _spend_dict(spend: Spend) -> dict[str, Any]:
    return {
        "cost_usd": usd(spend.cost_pico) if spend.is_known else None,
        "calls": spend.calls,
        "unpriced_calls": spend.unpriced_calls,
        "incomplete_calls": spend.incomplete_calls,
    }


def _rows(changed: WhatChanged) -> Iterator[dict[str, Any]]:
    for comparison in changed.comparisons:
        for row in comparison.changes:
            now, before = _spend_dict(row.now), _spend_dict(row.before)
            yield {
                "by": comparison.by,
                "value": row.value,
                "difference_usd": _difference(row),
                **now,
                **{f"before_{key}": value for key, value in before.items()},
            }
