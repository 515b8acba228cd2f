"""A statement as scripts, people and mail programs read it.

Owns: its JSON, CSV, table and notes, and that it can be one HTML file. Not here: any number. Invariant: the rule by
which shared cost was spread, the mark-up, and every adjustment are said wherever the amounts are shown; amounts have
all their digits, so that columns add up; a cost of which nothing is known is not 0.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from gembill.money import usd
from gembill.period import iso, local
from gembill_reports.analysis.statement import SharedRule, Statement, StatementRow
from gembill_reports.layout.sheet import DEMO, Sheet, count, exact
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views import closing
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.report import doubts
from gembill_reports.views.view import Csv, Format, View

SCHEMA_VERSION = 1
_AMOUNTS = ("cost_usd", "adjustment_usd", "shared_usd", "markup_usd", "total_usd")
_COUNTS = ("calls", "tokens_input", "tokens_intermediate", "tokens_output", "executions", "unpriced_calls")
_RULES = {
    SharedRule.BY_COST: "in proportion to what each cost itself (evenly where that is nothing)",
    SharedRule.EVENLY: "evenly over all rows",
}


@dataclass(frozen=True, slots=True)
class StatementView(View):
    """A statement, and a maker of its HTML page from its sheets."""

    statement: Statement
    page: Callable[[Sequence[Sheet]], str]

    def json(self) -> dict[str, Any]:
        """Terms, rows, their total, and the adjustments."""
        made = self.statement
        return {
            "schema_version": SCHEMA_VERSION,
            "period": period_dict(made.report.period),
            "by": made.terms.by,
            "shared_rule": made.terms.shared.value,
            "markup": str(made.terms.markup),
            "markup_percent": _percent(made.terms.markup),
            "closed": None if made.closing is None else _closed_dict(made),
            "rows": [{made.terms.by: row.name, **_row_dict(row)} for row in made.rows],
            "total": _row_dict(made.total),
            "adjustments": [closing.adjustment_dict(one) for one in made.adjustments],
        } | ({"demo_data": True} if made.report.demo else {})

    def csv(self) -> Csv:
        """A row per team or customer; the total is not among them."""
        by = self.statement.terms.by
        rows = ({by: row.name, **_row_dict(row)} for row in self.statement.rows)
        return Csv((by, *_COUNTS, *_AMOUNTS), rows)

    def sheets(self) -> Sequence[Sheet]:
        """One table."""
        return [sheet(self.statement)]

    def special(self) -> Mapping[Format, Callable[[], Iterable[str]]]:
        """One HTML file."""
        return {Format.HTML: lambda: [self.page(self.sheets())]}


def sheet(made: Statement) -> Sheet:
    """The statement ready to be shown."""
    period, by = made.report.period, made.terms.by.removeprefix("label.")
    state = "" if made.closing else " · not closed"
    mark = DEMO if made.report.demo else ""
    heading = f"{mark}Statement by {by} · {words(period)}{state} · {period.timezone} · US dollars, at list price"
    shown = [column for column in _COLUMNS if column.shown(made)]
    columns = (Column(by.replace("_", " ").capitalize(), text=True), *(one.column for one in shown))
    rows = tuple((row.name or MISSING, *(one.cell(row) for one in shown)) for row in made.rows)
    total = ("Total", *(one.cell(made.total) for one in shown))
    return Sheet(heading, Table(columns, rows, total), tuple(_notes(made)))


@dataclass(frozen=True, slots=True)
class _StatementColumn:
    """A column of numbers; it is there only where the statement has something of it."""

    column: Column
    cell: Callable[[StatementRow], str]
    shown: Callable[[Statement], object] = lambda _: True


_COLUMNS = (
    _StatementColumn(Column("Calls", 50), lambda row: count(row.used.calls if row.used else 0)),
    _StatementColumn(Column("Input", 40), lambda row: count(row.used.tokens.input if row.used else 0)),
    _StatementColumn(Column("Intermed.", 45), lambda row: count(row.used.tokens.intermediate if row.used else 0)),
    _StatementColumn(Column("Output", 42), lambda row: count(row.used.tokens.output if row.used else 0)),
    _StatementColumn(Column("Executions", 30), lambda row: count(row.used.executions if row.used else 0)),
    _StatementColumn(Column("Own cost", 80), lambda row: exact(_own(row))),
    _StatementColumn(Column("Adjusted", 70), lambda row: exact(row.adjustment_pico), lambda made: made.adjustments),
    _StatementColumn(Column("Shared", 75), lambda row: exact(row.shared_pico), lambda made: made.spread_pico),
    _StatementColumn(Column("Mark-up", 72), lambda row: exact(row.markup_pico), lambda made: made.terms.markup),
    _StatementColumn(Column("Total"), lambda row: exact(row.total_pico)),
)


def _own(row: StatementRow) -> int | None:
    """What its own calls cost; None where it has some and no cost of any is known."""
    return None if row.used is not None and row.used.cost_pico is None else row.cost_pico


def _notes(made: Statement) -> list[str]:
    lines = [] if made.rows else ["No call was recorded in this month."]
    if made.spread_pico:
        lines.append(_shared(made))
    if made.terms.markup:
        percent = _percent(made.terms.markup)
        lines.append(
            f"Mark-up: {percent}% of own cost, adjustments and shared cost, rounded to the pico-dollar per row."
        )
    lines += [_adjusted(made, month) for month in dict.fromkeys(one.closing.month for one in made.adjustments)]
    lines += doubts(made.report)
    if made.closing is not None:
        day = local(made.closing.closed_us, made.report.period.zone).date()
        lines.append(f"The month was closed on {day}, digest {made.closing.digest}; later corrections are not in it.")
    else:
        lines.append("The month is not closed: what it says can change until `gembill close` is run.")
    lines.append("Amounts have all their digits and add up. Cost is an estimate at list prices, not Google's bill.")
    return lines


def _shared(made: Statement) -> str:
    calls = sum(row.calls for row in made.report.rows if row.group[made.terms.by] is None)
    corrected = sum(one.cost_pico for one in made.adjustments if one.group[made.terms.by] is None)
    without = f"without a {made.terms.by.removeprefix('label.')}"
    sources = [f"{calls:,} {'call' if calls == 1 else 'calls'} {without}"] if calls else []
    sources += [f"corrections of calls {without} ({closing.signed(corrected)})"] if corrected else []
    return f"Shared: {exact(made.spread_pico)} of {' and '.join(sources)}, spread {_RULES[made.terms.shared]}."


def _adjusted(made: Statement, month: str) -> str:
    adjusted = [one for one in made.adjustments if one.closing.month == month]
    amount = closing.signed(sum(one.cost_pico for one in adjusted))
    unnamed = sum(one.cost_pico for one in adjusted if one.group[made.terms.by] is None)
    shared = f", of which {closing.signed(unnamed)} is shared" if unnamed and made.spread_pico else ""
    return f"Adjusted: corrections of the closed month {month} that were made in this one, {amount}{shared}."


def _percent(markup: Fraction) -> str:
    """All digits that `--markup` takes."""
    return f"{Decimal(round(markup * 10**8)) / 10**6:f}"


def _row_dict(row: StatementRow) -> dict[str, Any]:
    used = row.used
    return {
        "calls": used.calls if used else 0,
        "tokens_input": used.tokens.input if used else 0,
        "tokens_intermediate": used.tokens.intermediate if used else 0,
        "tokens_output": used.tokens.output if used else 0,
        "executions": used.executions if used else 0,
        "unpriced_calls": used.unpriced_calls if used else 0,
        "cost_usd": usd(_own(row)),
        "adjustment_usd": usd(row.adjustment_pico),
        "shared_usd": usd(row.shared_pico),
        "markup_usd": usd(row.markup_pico),
        "total_usd": usd(row.total_pico),
    }


def _closed_dict(made: Statement) -> dict[str, str]:
    assert made.closing is not None
    return {"closed_at": iso(made.closing.closed_us, made.report.period.zone), "digest": made.closing.digest}
