"""The page of what changed: who caused the difference between two periods.

Owns: its tables, chart and choice of the other period. Not here: differences. Invariant: only rollups are read where
the ends of both periods allow it.
"""

from collections.abc import Sequence
from dataclasses import replace

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, read_labels
from gembill.period import Period
from gembill.period_words import spoken
from gembill_reports import charts
from gembill_reports.analysis.previous_period import previous
from gembill_reports.analysis.what_changed import METER, Change, Comparison, WhatChanged, what_changed
from gembill_reports.charts import Chart
from gembill_reports.dashboard.links import calls_of
from gembill_reports.dashboard.page import Card, Cell, Grid, Page, counted, money_head, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count
from gembill_reports.views import what_changed as words
from gembill_reports.views.period_texts import words as period_words
from gembill_reports.views.previous_period import change

_STEPS = 8  # of a chart; what is smaller is one more
_LABELS = 12  # that have a table


def changes(ledger: Ledger, view: PageQuery) -> Page:
    """The period beside the one before, or beside the one that the address names with `against`."""
    before, unfinished = _before(view)
    labels = tuple(read_labels(ledger))[:_LABELS]
    changed = what_changed(ledger, (view.period, before), labels, selection=view.selection, unfinished=unfinished)
    csv = words.csv_rows(changed)
    return Page(
        name="changes",
        title="What changed",
        template="changes.html",
        data=words.what_changed_dict(changed),
        header=csv.header,
        rows=csv.rows,
        cards=_cards(changed),
        charts=[_chart(one, changed, view) for one in changed.comparisons[:2] if one.changes],
        grids=[_grid(one, changed, view) for one in changed.comparisons if _tells(one)],
        notes=words.notes(changed),
        more={"sentence": words.sentence(changed), "against": view.rest.get("against", "")},
    )


def _before(view: PageQuery) -> tuple[Period, bool]:
    """The period to compare with, and whether it is cut as the later one is not over."""
    if view.period.start_us is None or view.period.end_us is None:
        raise ConfigurationError("two periods can be compared only where both have ends; choose a month or two days")
    named = view.rest.get("against")
    if named is None:
        return previous(view.period, view.now_us)
    try:
        return spoken(named, view.period.zone, view.now_us), False
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace("--period", "Compared with", 1)) from None


def _tells(comparison: Comparison) -> bool:
    """Whether a table says more than the totals: one key, or one value of a label, does not."""
    return comparison.by in (METER, "model") or len(comparison.changes) > 1


def _cards(changed: WhatChanged) -> list[Card]:
    total, before, now = changed.total, changed.total.before, changed.total.now
    more = total.difference_pico > 0
    calls = now.calls - before.calls
    return [
        Card("Difference", words.difference(total), _percent(total), "failed" if more else "output"),
        Card(period_words(changed.before), words.spent(before), f"{count(before.calls)} calls"),
        Card(period_words(changed.now), words.spent(now), f"{count(now.calls)} calls"),
        Card("Calls", f"{'+' if calls > 0 else ''}{count(calls)}", f"{count(now.calls)} against {count(before.calls)}"),
    ]


def _percent(one: Change) -> str:
    known = one.before.is_known and one.now.is_known
    return change(one.now.cost_pico, one.before.cost_pico) if known else ""


def _chart(comparison: Comparison, changed: WhatChanged, view: PageQuery) -> Chart:
    """The steps from the cost before to the cost now, the largest first."""
    moved = [one for one in comparison.changes if one.difference_pico]
    steps = [
        (words.named(comparison.by, one.value), one.difference_pico, _link(comparison.by, one, changed, view))
        for one in moved[:_STEPS]
    ]
    if rest := moved[_STEPS:]:
        steps.append((f"{count(len(rest))} more", sum(one.difference_pico for one in rest), None))
    ends = changed.total.before.cost_pico, changed.total.now.cost_pico
    chart = charts.cost_steps(f"By {words.title(comparison.by)}", steps, ends)
    return replace(chart, key=f"{chart.key}_{comparison.by}")


def _grid(comparison: Comparison, changed: WhatChanged, view: PageQuery) -> Grid:
    by, title = comparison.by, words.title(comparison.by)
    heads = [text(title.capitalize()), money_head("Difference"), number("Change"), number("Before"), number("Now")]
    rows = [
        [text(words.named(by, one.value), _link(by, one, changed, view)), *_numbers(one)] for one in comparison.changes
    ]
    total = [text("Total"), *_numbers(changed.total)]
    if by != METER:
        heads += [number("Calls before"), number("Calls now")]
        rows = [[*row, *_calls(one)] for row, one in zip(rows, comparison.changes, strict=True)]
        total += _calls(changed.total)
    name = f"by-{'-'.join(title.split())}"
    return Grid(f"By {title}", heads, rows, total, name=name, noun=f"{title}s", empty="Nothing in either period.")


def _numbers(one: Change) -> list[Cell]:
    order = one.difference_pico if one.is_known else None
    now, before = one.now, one.before
    return [
        Cell(words.difference(one), number=True, order=order, mark="more" if one.difference_pico > 0 else ""),
        Cell(_percent(one), number=True, order=order),
        Cell(words.spent(before), number=True, order=before.cost_pico if before.is_known else None),
        Cell(words.spent(now), number=True, order=now.cost_pico if now.is_known else None),
    ]


def _calls(one: Change) -> Sequence[Cell]:
    return counted(one.before.calls), counted(one.now.calls)


def _link(by: str, one: Change, changed: WhatChanged, view: PageQuery) -> str | None:
    """The calls of the later period, or of the earlier one where the later has none."""
    if by == METER:
        return None
    link = calls_of(view, by, one.value)
    if one.now.calls or not link:
        return link or None
    return _within(view, changed.before, by, one.value)


def _within(view: PageQuery, period: Period, by: str, value: str | None) -> str:
    there = replace(view, chosen=_named(view, period))
    return calls_of(there, by, value)


def _named(view: PageQuery, period: Period) -> tuple[tuple[str, str], ...]:
    """The words of the address with the other period in place of its own."""
    from urllib.parse import parse_qsl, urlsplit

    return tuple(parse_qsl(urlsplit(view.span("/calls", period)).query))
