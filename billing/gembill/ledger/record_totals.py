"""Sums over records themselves: what no rollup can answer.

Owns: the expressions of keys and measures over `record`, summed by group. Not here: which table answers what
(`totals`). Invariant: only current revisions of selected calls count, and sums are exact.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, case, select

from gembill.ledger import rollup, schema, sql
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.model import Status


def sum_records(
    connection: Connection, selection: Selection, keys: Sequence[str], measures: Sequence[str]
) -> Iterator[tuple[Sequence[Any], tuple[int, ...]]]:
    """The values of the keys (columns of rollups, or of `record`) and the sums of the measures, group by group."""
    calls, keyed = rollup.MEASURED["calls"], rollup.KEYED
    measured = {
        **rollup.MEASURED,
        "calls_code_execution": keyed["code_execution_used"] * calls,
        "incomplete_calls": case((keyed["status"].in_((Status.PARTIAL.value, Status.UNKNOWN.value)), calls), else_=0),
    }
    columns = [keyed[name].label(f"by_{place}") for place, name in enumerate(keys)]
    where = selected(selection, connection.dialect.name)
    query = select(*columns).select_from(schema.record).where(*where).group_by(*columns)
    return sql.summed(connection, query, [measured[name] for name in measures])
