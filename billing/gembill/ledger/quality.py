"""What is wrong with the records of a period, counted.

Owns: counts of unpriced and incomplete calls, anomalies, flags, errors and outcomes, from the records themselves.
Not here: wording. Invariant: every count is of current revisions; a call with two anomalies counts for both.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, select

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.model import ApiError, Outcome

_names = msgspec.json.Decoder(tuple[str, ...])
_fault = msgspec.json.Decoder(ApiError)


@dataclass(frozen=True, slots=True)
class Quality:
    """Calls by what they lack: `unpriced` by model and reason, `statuses`, `anomalies` and `flags` by name.

    `errors` by code, status word and kind; `outcomes` counts executions. `dead_letters` are events of all time that
    could not become a record.
    """

    calls: int = 0
    unpriced: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    anomalies: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    errors: Counter[tuple[str | None, str | None, str | None]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0


def read_quality(ledger: Ledger, selection: Selection) -> Quality:
    """The counts of the selected calls. It reads every record of the period."""
    unpriced: Counter[tuple[str | None, str]] = Counter()
    errors: Counter[tuple[str | None, str | None, str | None]] = Counter()
    statuses, anomalies, flags, outcomes = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    with snapshot(ledger.engine) as connection:
        dead = connection.scalar(select(func.count()).select_from(schema.dead_letter))
        for row in connection.execute(_query(selection, connection.dialect.name)):
            statuses[row.status] += row.calls
            if row.unpriced_reason is not None:
                unpriced[row.model, row.unpriced_reason] += row.calls
            if row.error is not None:
                errors[_words(row.error)] += row.calls
            anomalies.update(dict.fromkeys(_names.decode(row.anomalies), row.calls))
            flags.update(dict.fromkeys(_names.decode(row.flags), row.calls))
            outcomes.update({one.value: int(row._mapping[one.value]) for one in Outcome})  # noqa: SLF001 - its public name
    return Quality(sum(statuses.values()), unpriced, statuses, anomalies, flags, errors, +outcomes, int(dead or 0))


def _query(selection: Selection, engine: str) -> Select[Any]:
    c = schema.record.c
    groups = (c.model, c.status, c.unpriced_reason, c.error, c.anomalies, c.flags)
    query = select(*groups, func.count().label("calls"), *(_outcome(one) for one in Outcome))
    return query.where(*selected(selection, engine)).group_by(*groups)


def _outcome(outcome: Outcome) -> ColumnElement[Any]:
    """How often the outcome begins a run in the JSON of the executions; quotes within its texts are escaped there."""
    text, word = schema.record.c.executions, f'["{outcome.value}",'
    return func.sum((func.length(text) - func.length(func.replace(text, word, ""))) / len(word)).label(outcome.value)


def _words(text: str) -> tuple[str | None, str | None, str | None]:
    fault = _fault.decode(text)
    return None if fault.code is None else str(fault.code), fault.status, fault.kind
