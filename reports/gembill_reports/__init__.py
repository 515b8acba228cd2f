"""Reports of a gembill ledger: rows, tables, receipts, data frames and figures.

Owns: the three functions for scripts and notebooks. Not here: SQL, and any rule of metering or rating. Invariant:
importing it loads nothing heavy; money is exact everywhere.

    import gembill_reports
    november = gembill_reports.totals("sqlite:///ledger.db", by=["model"], month="2026-11")
    gembill_reports.frame(month="2026-11", by=["model"])                  # a pandas DataFrame, money as Decimal
    gembill_reports.figure("cost_per_day", month="2026-11").show()        # a plotly figure
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from gembill.period import Period
    from gembill_reports.analysis.report import Report

__all__ = ["Calls", "ChartName", "figure", "frame", "totals"]

ChartName = Literal[
    "cost_per_day",
    "cost_per_week",
    "cost_per_month",
    "cost_per_model",
    "intermediate_per_model",
    "executions_per_day",
]
"""The charts of `figure`."""

_MONEY = frozenset(
    (
        *("cost_usd", "cost_input", "cost_intermediate", "cost_output", "cost_grounding"),
        "failed_execution_cost_usd_estimate",
    )
)


class Calls(TypedDict, total=False):
    """Which calls are counted; what is left out narrows nothing.

    Dates and months are in `tz` (America/Los_Angeles), `until` is exclusive, `through` the last day; `period` is a word
    like `last-month` or `2026-Q3`. `models` may hold `*`; all `labels` must be there, of one name any of the values.
    `code_execution` counts only calls that used it. A name that no call of the ledger has is a ConfigurationError.
    """

    since: str | None
    until: str | None
    through: str | None
    month: str | None
    period: str | None
    tz: str | None
    models: Sequence[str]
    keys: Sequence[str]
    tiers: Sequence[str]
    locations: Sequence[str]
    labels: Mapping[str, str | Sequence[str]] | None
    code_execution: bool


def totals(database_url: str | None = None, by: Sequence[str] = (), **calls: Unpack[Calls]) -> "Report":
    """Totals of the calls in a period: its `rows`, which is what it iterates over, and their `total`.

    They are what `gembill report` prints (`gembill_reports.views.report.report_dict` is its JSON). Without an address
    the configured ledger is read; `by` names groups such as `model` or `label.team`; `calls` are the fields of `Calls`.
    Errors are `gembill.errors.GembillError`.
    """
    from gembill.config import database_url as configured
    from gembill.ledger import Selection, open_ledger, require_known
    from gembill_reports.analysis.report import report

    period, labels = _period(calls), calls.get("labels") or {}
    selection = Selection(
        models=tuple(calls.get("models", ())),
        keys=tuple(calls.get("keys", ())),
        tiers=tuple(calls.get("tiers", ())),
        locations=tuple(calls.get("locations", ())),
        labels={name: value if isinstance(value, str) else tuple(value) for name, value in labels.items()},
        code_execution=calls.get("code_execution", False),
    )
    ledger = open_ledger(configured(database_url), read_only=True)
    try:
        require_known(ledger, selection)
        return report(ledger, period, by, selection=selection)
    finally:
        ledger.close()


def frame(database_url: str | None = None, by: Sequence[str] = (), **calls: Unpack[Calls]) -> "pd.DataFrame":
    """The rows of `totals(...)` as a pandas DataFrame, in their order; columns as in the CSV (contract.md, Reports).

    Groups (`model`, `label.team`, `day`, ...): str or None. `calls`, `calls_code_execution`, `tokens_input`,
    `tokens_intermediate`, `tokens_output`, `tokens_total`, `tokens_cached` (part of input), `tokens_thinking` (part of
    output), `executions`, `executions_failed`, `unpriced_calls`, `incomplete_calls`: Int64, which can be missing.
    `cost_usd`, `cost_input`, `cost_intermediate`, `cost_output`, `cost_grounding`,
    `failed_execution_cost_usd_estimate`: Decimal US dollars, None where unknown. The total is not a row:
    `frame(...)["cost_usd"].sum()` is it.
    """
    import pandas as pd

    from gembill_reports.views.report import csv_rows

    report = totals(database_url, by, **calls)
    csv = csv_rows(report)
    rows = list(csv.rows)
    return pd.DataFrame({key: _series(key, [row[key] for row in rows], report.by) for key in csv.header})


def figure(chart: ChartName, database_url: str | None = None, **calls: Unpack[Calls]) -> "go.Figure":
    """A chart of the dashboard as a plotly figure, of the calls that `totals` would count.

    A chart that does not exist is a ConfigurationError.
    """
    from gembill.errors import ConfigurationError
    from gembill_reports import charts

    if chart not in charts.CHARTS:
        raise ConfigurationError(f"'{chart}' is not a chart; there are {', '.join(charts.CHARTS)}")
    by, draw = charts.CHARTS[chart]
    return charts.figure(draw(totals(database_url, by, **calls)))


def _period(calls: Calls) -> "Period":
    import time

    from gembill.errors import ConfigurationError
    from gembill.period import parse, zone
    from gembill.period_words import spoken

    word, ends = calls.get("period"), [calls.get(key) for key in ("since", "until", "through", "month")]
    if word is None:
        since, until, through, month = (None if end is None else str(end) for end in ends)
        return parse(since, until, month, tz=calls.get("tz"), through=through)
    if any(end is not None for end in ends):
        raise ConfigurationError("'period' names a whole period; leave out its ends, or 'period'")
    return spoken(word, zone(calls.get("tz")), time.time_ns() // 1000)


def _series(key: str, values: Sequence[object], by: Sequence[str]) -> "pd.Series[object]":
    from decimal import Decimal

    import pandas as pd

    if key in by:
        return pd.Series(values, dtype=object)
    if key in _MONEY:
        return pd.Series([None if value is None else Decimal(str(value)) for value in values], dtype=object)
    return pd.Series(values, dtype="Int64")
