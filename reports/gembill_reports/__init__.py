"""Reports of a gembill ledger: rows, tables, receipts, data frames and figures.

Owns: what people and scripts read. Owns no SQL and no rule of metering or rating.

    import gembill_reports
    november = gembill_reports.totals("sqlite:///ledger.db", by=["model"], month="2026-11")
    gembill_reports.frame(month="2026-11", by=["model"])                  # a pandas DataFrame, money as Decimal
    gembill_reports.figure("cost_per_day", month="2026-11").show()        # a plotly figure
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from gembill_reports.analysis.report import Report

__all__ = ["figure", "frame", "totals"]


def totals(  # noqa: PLR0913 - the flags of the command, all by name
    database_url: str | None = None,
    by: Sequence[str] = (),
    *,
    since: str | None = None,
    until: str | None = None,
    month: str | None = None,
    tz: str | None = None,
    models: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    code_execution: bool = False,
) -> "Report":
    """Totals of the calls in a period: its `rows`, which is what it iterates over, and their `total`.

    They are what `gembill report` prints (`gembill_reports.views.report.report_dict` is its JSON). Without an address
    the configured ledger is read; `by` names groups such as `model` or `label.team`. Dates and months are in `tz`
    (America/Los_Angeles), `until` is exclusive; `models` may hold `*`, all `labels` must fit. Errors are
    `gembill.errors.GembillError`.
    """
    from gembill.config import database_url as configured
    from gembill.ledger import Selection, open_ledger
    from gembill.period import parse
    from gembill_reports.analysis import report

    period = parse(since, until, month, tz=tz)
    chosen = Selection(models=tuple(models), labels=dict(labels or {}), code_execution=code_execution)
    ledger = open_ledger(configured(database_url), read_only=True)
    try:
        return report.report(ledger, period, by, selection=chosen)
    finally:
        ledger.close()


def frame(database_url: str | None = None, by: Sequence[str] = (), **named: object) -> "pd.DataFrame":
    """The rows of `totals(...)` as a pandas DataFrame (`gembill_reports.frames.frame` documents its columns)."""
    from gembill_reports import frames

    return frames.frame(totals(database_url, by, **named))  # type: ignore[arg-type]


def figure(chart: str, database_url: str | None = None, **named: object) -> "go.Figure":
    """A chart of the dashboard as a plotly figure; `named` choose the calls as in `totals`.

    cost_per_day, cost_per_week, cost_per_month, cost_per_model, intermediate_per_model, executions_per_day; others are
    a ConfigurationError.
    """
    from gembill.errors import ConfigurationError
    from gembill_reports import charts

    if chart not in charts.CHARTS:
        raise ConfigurationError(f"'{chart}' is no chart; there are {', '.join(charts.CHARTS)}")
    by, made = charts.CHARTS[chart]
    return charts.figure(made(totals(database_url, by, **named)))  # type: ignore[arg-type]
