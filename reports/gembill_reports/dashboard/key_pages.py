"""The page of API keys.

Owns: its table and chart. Not here: the rows. Invariant: a key is shown by its name or fingerprint, as records have it.
"""

from gembill.ledger import Ledger, Total
from gembill.period import local
from gembill_reports import charts
from gembill_reports.analysis.key_usage import KeysInUse, KeyUsage, keys_in_use
from gembill_reports.analysis.previous_period import PreviousPeriod
from gembill_reports.dashboard.comparison import HEADS, before_of, money_cells, shown
from gembill_reports.dashboard.links import calls_of
from gembill_reports.dashboard.page import Cell, Grid, Page, counted, dollars, money_head, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import rate
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views import key_usage as words
from gembill_reports.views.previous_period import sentence
from gembill_reports.views.report import notes, previous_dict

_HEADS = ("Calls", "Input", "Intermediate", "Output", "Failed runs", "Refused", "Incomplete")
_UNNAMED = "k_... is the fingerprint of a key; the setting keys names it, for calls after the proxy's next start."


def keys(ledger: Ledger, view: PageQuery) -> Page:
    """A row per key: what it cost, what went wrong, and when it was seen last, beside its cost in the period before."""
    used = keys_in_use(ledger, view.period, selection=view.selection)
    before = before_of(ledger, used.report, view)
    csv = words.csv_rows(used, before)
    drawn = charts.cost_by_group(used.report, lambda row: calls_of(view, "key", _key(row.group["key"])))
    return Page(
        name="keys",
        title="Keys",
        template="sums.html",
        data=words.keys_dict(used) | {"previous": before and previous_dict(before)},
        header=csv.header,
        rows=csv.rows,
        charts=(drawn,),
        grids=(_grid(used, shown(before), view),),
        notes=[
            *notes(used.report),
            *([sentence(before, used.report.total)] if before is not None else ()),
            "Refused are calls that the API answered with an error; last seen is the hour of the last call.",
            *([_UNNAMED] if any((one.key or "").startswith("k_") for one in used.keys) else ()),
        ],
    )


def _key(value: object) -> str | None:
    return None if value is None else str(value)


def _grid(used: KeysInUse, before: PreviousPeriod | None, view: PageQuery) -> Grid:
    beside = HEADS if before is not None else ()
    heads = [text("Key"), money_head("Cost"), *beside, *map(number, _HEADS), number("Last seen")]
    rows = [_row(one, before, view) for one in used.keys]
    total = [text("Total"), *_numbers(used.report.total, used.refused_calls, before), number("")]
    return Grid("Keys", heads, rows, total, name="keys", noun="keys")


def _row(one: KeyUsage, before: PreviousPeriod | None, view: PageQuery) -> list[Cell]:
    seen = "" if one.last_us is None else local(one.last_us, view.period.zone).strftime("%Y-%m-%d %H:%M")
    named = text(clean(MISSING if one.key is None else one.key), calls_of(view, "key", one.key) or None)
    return [named, *_numbers(one.total, one.refused_calls, before), Cell(seen, number=True, order=one.last_us)]


def _numbers(total: Total, refused: int, before: PreviousPeriod | None) -> list[Cell]:
    tokens = total.tokens
    failed = rate(total.executions_failed, total.executions)
    return [
        dollars(total.cost_pico),
        *(money_cells(total.cost_pico, before.cost_of(total)) if before is not None else ()),
        *map(counted, (total.calls, tokens.input, tokens.intermediate, tokens.output)),
        Cell(failed, number=True, order=total.executions_failed, mark="failed" if total.executions_failed else ""),
        counted(refused, mark="error" if refused else ""),
        counted(total.incomplete_calls, mark="partial" if total.incomplete_calls else ""),
    ]
