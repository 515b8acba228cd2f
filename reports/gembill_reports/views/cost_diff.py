"""A difference of costs as people and scripts read it: tables by model and by test, JSON, CSV, and a job's log.

Owns: the words, columns and JSON of `gembill diff`. Not here: any number or verdict. Invariant: a cost that is not
known says so (`at least`, `unknown`); tests that are left out of a table are counted below it.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gembill.ledger import Total
from gembill.money import usd
from gembill.rules.budgets import BudgetState
from gembill_reports.analysis.cost_diff import (
    TEST,
    CostDiff,
    DiffRow,
    DiffSide,
    Judged,
    known_cost,
    known_tokens,
)
from gembill_reports.layout import screen
from gembill_reports.layout.sheet import DEMO, UNKNOWN, Sheet, count, money
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views import previous_period
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.report import row_dict
from gembill_reports.views.view import Csv, Format, View, text

SCHEMA_VERSION = 1
_SHOWN = 20  # rows of a table by test: a comment holds 65,536 characters
_NAMED = 5
_TITLES = {"model": "Model", TEST: "Test"}
_NAMELESS = {"model": MISSING, TEST: "(no test)"}
_NUMBERS = (
    Column("Calls before", 40),
    Column("Calls", 45),
    Column("Tokens before", 60),
    Column("Tokens", 65),
    Column("Cost before", 80),
    Column("Cost", 85),
    Column("Difference"),
    Column("Change", 70),
)
_HEADER = (
    *("by", "name", "baseline_calls", "head_calls", "baseline_tokens", "head_tokens"),
    *("baseline_cost_usd", "head_cost_usd", "difference_usd"),
)


@dataclass(frozen=True, slots=True)
class CostDiffView(View):
    """A comparison of two sides, and the exit code that follows from it."""

    diff: CostDiff
    exit_code: int = 0

    def json(self) -> dict[str, Any]:
        """Both sides, the total, the rows of each group, and what does not keep to a threshold."""
        diff = self.diff
        return {
            "schema_version": SCHEMA_VERSION,
            "period": period_dict(diff.period),
            "status": diff.verdict.value,
            "head": _side_dict(diff.head),
            "baseline": _side_dict(diff.baseline),
            "total": {key: value for key, value in _row_dict(diff.total).items() if key != "name"},
            "groups": [{"by": by, "rows": [_row_dict(row) for row in rows]} for by, rows in diff.groups.items()],
            "thresholds": [one.text for one in diff.thresholds],
            "not_kept": [_judged_dict(one) for one in diff.judged],
        } | ({"demo_data": True} if diff.demo else {})

    def csv(self) -> Csv:
        """A row for each model and each test."""
        return Csv(_HEADER, (_flat(by, row) for by, rows in self.diff.groups.items() for row in rows))

    def sheets(self) -> Sequence[Sheet]:
        """A table by model with the total and the verdict, then one by test."""
        diff = self.diff
        first, *others = (_sheet(diff, by) for by in diff.groups)
        return [replace(first, notes=(*first.notes, *_notes(diff))), *others]

    def special(self) -> Mapping[Format, Callable[[], Iterable[str]]]:
        """The log of a GitHub job, which leaves its files for the runner too."""
        return {Format.GITHUB: self._github}

    def _github(self) -> Iterator[str]:
        from gembill_reports.views import github

        diff = self.diff
        yield from github.quoted("".join(text(self, Format.TABLE)))
        level = {BudgetState.BREACH: "error", BudgetState.UNKNOWN: "warning"}.get(diff.verdict, "notice")
        sentences = " ".join(sentence(one) for one in _named(diff.judged)) or in_short(diff)
        yield github.annotation(level, f"Gemini cost {in_few(diff)}", sentences)
        values = {
            "diff_status": diff.verdict.value,
            "difference_usd": usd(diff.total.cost_pico) or "",
            "diff_exit_code": str(self.exit_code),
        }
        markdown = "".join(text(self, Format.MARKDOWN))
        if failures := github.leave_report("gembill-diff", "diff_path", values, markdown):
            screen.write(["gembill: this could not be written: ", "; ".join(failures), "\n"], sys.stderr)


def in_few(diff: CostDiff) -> str:
    """The difference as a title says it: `+$0.12 (+25%)`, `unknown`."""
    changed = _change(diff.total)
    return difference(diff.total) + (f" ({changed})" if changed else "")


def in_short(diff: CostDiff) -> str:
    """The difference in one sentence."""
    return f"{_cost(diff.total.head)} after {_cost(diff.total.baseline)}: {in_few(diff)}."


def difference(row: DiffRow) -> str:
    """By how much a cost rose or fell, with its sign; `unknown` where one of the two is not known."""
    return ("+" if (row.cost_pico or 0) > 0 else "") + money(row.cost_pico)


def sentence(judged: Judged) -> str:
    """Which threshold was not kept, by what, or why that is not known."""
    row, limit = judged.row, judged.threshold
    whose = "all calls" if limit.by is None else row.name or _NAMELESS[limit.by]
    if judged.verdict is BudgetState.UNKNOWN:
        return f"{judged.verdict}: {whose}: some cost is not known, and so not whether {limit.text} is kept."
    rise = (row.head.cost_pico or 0 if row.head else 0) - (known_cost(row.baseline) or 0)
    least = "" if row.cost_pico is not None else "at least "
    changed = _change(row)
    share = f" ({changed})" if changed else ""
    return f"{judged.verdict}: {whose}: {least}{money(rise)}{share} more than before, over {limit.text}."


def _sheet(diff: CostDiff, by: str) -> Sheet:
    mark = DEMO if diff.demo else ""
    rows = diff.groups[by]
    shown = rows[:_SHOWN] if by == TEST else rows
    cells = tuple((row.name or _NAMELESS[by], *_cells(row)) for row in shown)
    columns = (Column(_TITLES[by], text=True), *_NUMBERS)
    total = ("Total", *_cells(diff.total))
    if by == TEST:
        left = len(rows) - len(shown)
        notes = (f"{left:,} more tests changed less; --format json or csv has all.",) if left else ()
        return Sheet(f"{mark}Gemini cost by test", Table(columns, cells), notes)
    heading = f"{mark}Gemini cost of {diff.head.words} · against {diff.baseline.words} · US dollars"
    return Sheet(heading, Table(columns, cells, total), ())


def _notes(diff: CostDiff) -> list[str]:
    notes = [sentence(one) for one in _named(diff.judged)]
    more = len(diff.judged) - len(notes)
    notes += [f"{more:,} more are over a threshold or not known; --format json names them."] if more else []
    held = [one.text for one in diff.thresholds if one.by is None or one.by in diff.groups]
    if held and not diff.judged:
        notes.append(f"PASS: within {' and '.join(held)}.")
    unheld = [one.text for one in diff.thresholds if one.text not in held]
    notes += [f"No call has the label test: there is nothing to hold {' and '.join(unheld)} against."] if unheld else []
    notes += _runs(diff)
    notes += [f"Period: {words(diff.period)}, {diff.period.timezone}."] if diff.period.start_us is not None else []
    notes += _doubts(diff.total)
    return [*notes, "Cost is an estimate at list prices in US dollars, not Google's bill."]


def _runs(diff: CostDiff) -> list[str]:
    """Which runs were taken; their ids as they are, because people copy them."""
    sides = [(name, side.run) for name, side in (("now", diff.head), ("before", diff.baseline)) if side.run]
    said = ", ".join(f"{name} it is run {run}" for name, run in sides)
    return [f"{said[0].upper()}{said[1:]}."] if said else []


def _doubts(total: DiffRow) -> list[str]:
    sides = [(name, side) for name, side in (("now", total.head), ("before", total.baseline)) if side is not None]
    unpriced = [f"{side.unpriced_calls:,} {name}" for name, side in sides if side.unpriced_calls]
    lacking = [f"{side.incomplete_calls:,} {name}" for name, side in sides if side.incomplete_calls]
    notes = [f"Calls without a price: {', '.join(unpriced)}; what they cost is unknown, and so the difference."]
    incomplete = [f"Calls that may lack tokens: {', '.join(lacking)}; what is known of them is counted."]
    return [*(notes if unpriced else []), *(incomplete if lacking else [])]


def _named(judged: Sequence[Judged]) -> list[Judged]:
    """The few that are named, breaches first."""
    return sorted(judged, key=lambda one: -one.verdict.severity)[:_NAMED]


def _cells(row: DiffRow) -> tuple[str, ...]:
    sides = (row.baseline, row.head)
    calls = [count(0 if side is None else side.calls) for side in sides]
    tokens = [_tokens(side) for side in sides]
    return (*calls, *tokens, *map(_cost, sides), difference(row), _change(row))


def _tokens(side: Total | None) -> str:
    known = side is None or side.tokens.input is not None
    return count(known_tokens(side)) if known else UNKNOWN


def _cost(side: Total | None) -> str:
    """A cost; where calls have no price, `at least` what the others cost."""
    known = known_cost(side)
    if known is not None or side is None:
        return money(known)
    return f"at least {money(side.cost_pico)}" if side.cost_pico else UNKNOWN


def _change(row: DiffRow) -> str:
    return previous_period.change(known_cost(row.head), known_cost(row.baseline))


def _side_dict(side: DiffSide) -> dict[str, str | None]:
    return {"asked": side.words, "run": side.run}


def _row_dict(row: DiffRow) -> dict[str, Any]:
    sides = {"head": row.head, "baseline": row.baseline}
    return {
        "name": row.name,
        **{name: None if side is None else row_dict(replace(side, group={})) for name, side in sides.items()},
        "difference_tokens": row.tokens,
        "difference_usd": usd(row.cost_pico),
    }


def _judged_dict(judged: Judged) -> dict[str, Any]:
    return {"threshold": judged.threshold.text, "status": judged.verdict.value, "name": judged.row.name}


def _flat(by: str, row: DiffRow) -> dict[str, Any]:
    shape: dict[str, Any] = {"by": by, "name": row.name, "difference_usd": usd(row.cost_pico)}
    for name, side in (("baseline", row.baseline), ("head", row.head)):
        cost = 0 if side is None else side.cost_pico
        shape[f"{name}_calls"] = 0 if side is None else side.calls
        shape[f"{name}_tokens"] = known_tokens(side)
        shape[f"{name}_cost_usd"] = usd(cost)
    return shape
