"""Totals as a pandas DataFrame, for notebooks.

Owns: columns and their types. Owns no sum. Invariant: money is exact: `Decimal` US dollars, which pandas adds up
without rounding; counts are whole numbers that can be missing (`Int64`), groups are text.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from gembill_reports.analysis.report import Report
from gembill_reports.views.report import csv_rows

if TYPE_CHECKING:
    import pandas as pd

_MONEY = ("cost_usd", "cost_input", "cost_intermediate", "cost_output", "cost_grounding")
_ESTIMATE = "failed_execution_cost_usd_estimate"


def frame(report: Report) -> "pd.DataFrame":
    """A row per group in the order of the report; columns as in its CSV (contract.md, Reports).

    Groups (`model`, `label.team`, `day`, ...): str or None. `calls`, `calls_code_execution`, `tokens_input`,
    `tokens_intermediate`, `tokens_output`, `tokens_total`, `tokens_cached` (part of input), `tokens_thinking` (part of
    output), `executions`, `executions_failed`, `unpriced_calls`, `incomplete_calls`: Int64. `cost_usd`, `cost_input`,
    `cost_intermediate`, `cost_output`, `cost_grounding`, `failed_execution_cost_usd_estimate`: Decimal US dollars, None
    where unknown. The total is not a row: `frame(r)["cost_usd"].sum()` is it.
    """
    import pandas as pd

    csv = csv_rows(report)
    rows = list(csv.rows)
    columns = {key: [row[key] for row in rows] for key in csv.header}
    return pd.DataFrame({key: _series(key, values, report.by) for key, values in columns.items()})


def _series(key: str, values: list[object], by: tuple[str, ...]) -> "pd.Series[object]":
    import pandas as pd

    if key in by:
        return pd.Series(values, dtype=object)
    if key in _MONEY or key == _ESTIMATE:
        return pd.Series([None if value is None else Decimal(str(value)) for value in values], dtype=object)
    return pd.Series(values, dtype="Int64")
