"""Which revisions of records a filter means.

Owns: the conditions of every query over `record`. Not here: the filter and its conditions over any table (`selection`).
Invariant: a query over records asks for the current revisions of the selected calls with `selected`, so that none can
forget a part of it.
"""

from sqlalchemy import ColumnElement, TextClause, bindparam, exists, select, text

from gembill.ledger import schema
from gembill.ledger.selection import Condition, Selection, conditions, labelled, one_of, within
from gembill.model import Anomaly, Status


def selected(selection: Selection, dialect: str) -> list[ColumnElement[bool] | TextClause]:
    """That a row of `record` is the current revision of a selected call."""
    where = [
        *within("record.occurred_us", selection.start_us, selection.end_us),
        *conditions(selection, "record", dialect),
        *labelled(selection.labels, "record.labels", dialect),
        *([one_of("record.location", selection.locations)] if selection.locations else []),
    ]
    return [*_revision(selection.seen_us), *map(_clause, where), *(_unmetered() if selection.unmetered else [])]


def in_period(selection: Selection) -> list[ColumnElement[bool]]:
    """That a row of `entry` is of the selection's period, whatever else is selected and whether it is current."""
    at = schema.entry.c.occurred_us
    start = [at >= selection.start_us] if selection.start_us is not None else []
    return [*start, *([at < selection.end_us] if selection.end_us is not None else [])]


def is_current(seen_us: int | None = None) -> ColumnElement[bool]:
    """That a row of `record` is the highest revision of its record; with an instant, of those posted until then."""
    other = schema.entry.alias("newer")
    mine = schema.record.c
    newer = [other.c.source_id == mine.source_id, other.c.id == mine.id, other.c.revision > mine.revision]
    newer += [other.c.posted_us <= seen_us] if seen_us is not None else []
    return ~exists(select(1).select_from(other).where(*newer).correlate(schema.record))


def _revision(seen_us: int | None) -> list[ColumnElement[bool]]:
    """That a row is the revision that counts: the current one, or the one that did at that instant."""
    return [is_current(seen_us), *([schema.record.c.posted_us <= seen_us] if seen_us is not None else [])]


def _unmetered() -> list[ColumnElement[bool]]:
    c = schema.record.c
    return [c.status == Status.UNKNOWN.value, c.anomalies.contains(f'"{Anomaly.UNMETERED_SURFACE.value}"')]


def _clause(condition: Condition) -> TextClause:
    """A condition with its values under names, as SQLAlchemy wants them."""
    sql, values = condition
    names = [f"value_{place}" for place in range(len(values))]
    first, *rest = sql.split("?")
    named = first + "".join(f":{name}{piece}" for name, piece in zip(names, rest, strict=True))
    return text(named).bindparams(*(bindparam(*pair, unique=True) for pair in zip(names, values, strict=True)))
