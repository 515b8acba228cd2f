"""Proof that the books balance.

Owns: what must hold between the tables, and a sentence for each place where it does not. Not here: repairs.
Invariant: it reads one snapshot and trusts no derived row: rollups and costs are worked out again from records and
charges. Set-wise SQL; what comes to Python is groups, not records.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, or_, select

from gembill.ledger import event_body, rollup, schema, sql
from gembill.ledger.audit_contents import audit_contents
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import meters_of
from gembill.ledger.measures import MEASURES
from gembill.ledger.month_close import audit_closings
from gembill.ledger.places import read_filled, read_holes
from gembill.ledger.record_selection import is_current
from gembill.ledger.store import Ledger
from gembill.ledger.usage_days import audit_usage_days
from gembill.model import COST_PARTS, Meter
from gembill.rules.policy_ids import SQL_ESTIMATED

_SHOWN = 5  # findings of a kind that are spelled out


def audit_ledger(ledger: Ledger) -> list[str]:
    """Findings in plain sentences; an empty list says that the books balance."""
    checks: tuple[Callable[[Connection], Iterable[str]], ...] = (
        _gaps,
        _revisions,
        _events,
        _blocks,
        audit_contents,
        _templates,
        _costs,
        _quantities,
        _label_sets,
        audit_closings,
        audit_usage_days,
        *(partial(_rollup, table) for table in schema.ROLLUPS),
    )
    findings: list[str] = []
    with snapshot(ledger.engine) as connection:
        damage = list(_file(connection))
        if damage:
            return damage  # what is read from such a file proves nothing
        for check in checks:
            findings += _abridged(list(check(connection)))
    return findings


def read_gaps(ledger: Ledger) -> list[str]:
    """The places of spools that are missing, a sentence for each source; a part of `audit_ledger` that is quick."""
    with snapshot(ledger.engine) as connection:
        return _abridged(list(_gaps(connection)))


def _file(connection: Connection) -> Iterable[str]:
    """Whether the pages of a SQLite file are well formed, and each row is in each index once."""
    if connection.dialect.name != "sqlite":
        return
    for words in connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN})").scalars():
        if words != "ok":
            yield f"the file of the ledger is damaged: {words}; restore a backup, then run `gembill replay`"


def _abridged(findings: list[str]) -> list[str]:
    if len(findings) <= _SHOWN:
        return findings
    return [*findings[:_SHOWN], f"and {len(findings) - _SHOWN} more like the last one"]


def _gaps(connection: Connection) -> Iterable[str]:
    """Places in a spool count from 1 without a gap; what was buried is there."""
    for source_id, last, count in read_filled(connection):
        if last != count and (hole := next(read_holes(connection, source_id), None)) is not None:
            yield (
                f"source {source_id}: its last place is {last} but {count} places are filled, "
                f"the first missing one is {hole[0]}; `gembill replay` posts what its spool keeps"
            )


def _revisions(connection: Connection) -> Iterable[str]:
    c = schema.entry.c
    query = select(c.source_id, c.id, func.count(), func.max(c.revision)).group_by(c.source_id, c.id)
    for source_id, record_id, count, last in connection.execute(query.having(func.max(c.revision) != func.count() - 1)):
        yield f"record {record_id} of source {source_id}: its revisions go up to {last} but there are {count} of them"


def _events(connection: Connection) -> Iterable[str]:
    r, e = schema.record.c, schema.event.c
    joined = schema.record.outerjoin(schema.event, and_(e.source_id == r.event_source_id, e.id == r.event_id))
    query = select(r.source_id, r.id, r.revision, r.event_id).select_from(joined).where(e.id.is_(None))
    for source_id, record_id, revision, event_id in connection.execute(query):
        where = f"record {record_id} of source {source_id}, revision {revision}"
        yield f"{where}: its event {event_id} is not in the ledger"


def _blocks(connection: Connection) -> Iterable[str]:
    e, b = schema.event.c, schema.event_block.c
    start = len(event_body.BLOCK_MARK)
    where = func.substr(e.body, start + 1, event_body.DIGEST) == b.digest
    joined = schema.event.outerjoin(schema.event_block, and_(b.source_id == e.source_id, where))
    query = select(e.source_id, e.id).select_from(joined).where(b.digest.is_(None))
    for source_id, event_id in connection.execute(query.where(func.substr(e.body, 1, start) == event_body.BLOCK_MARK)):
        yield f"event {event_id} of source {source_id}: the block that its body is in is not in the ledger"


def _templates(connection: Connection) -> Iterable[str]:
    e, t = schema.entry.c, schema.template.c
    joined = schema.entry.outerjoin(schema.template, and_(t.source_id == e.source_id, t.number == e.template))
    query = select(e.source_id, e.id, e.revision).select_from(joined).where(t.number.is_(None))
    for source_id, record_id, revision in connection.execute(query):
        where = f"record {record_id} of source {source_id}, revision {revision}"
        yield f"{where}: its words and price rows are not in the ledger"


def _charged(connection: Connection) -> Any:  # noqa: ANN401
    """By record: what its charges of all revisions add up to, cost and quantity of each part."""
    c = schema.charge.c
    columns: list[ColumnElement[Any]] = []
    for part in COST_PARTS:
        here = c.meter.in_(meters_of(part))
        columns.append(_sum(case((here, c.cost_pico), else_=0), connection).label(f"cost_{part}"))
        of_tokens = c.meter.in_([meter for meter in meters_of(part) if Meter(meter).unit == "tokens"])
        counted = and_(of_tokens, c.price_id.not_like(SQL_ESTIMATED))  # estimated tokens are in no count of the record
        columns.append(_sum(case((counted, c.quantity), else_=0), connection).label(f"quantity_{part}"))
    columns.append(_sum(c.cost_pico, connection).label("cost"))
    return select(c.source_id, c.record_id, *columns).group_by(c.source_id, c.record_id).subquery("charged")


def _sum(value: ColumnElement[Any], connection: Connection) -> ColumnElement[Any]:
    """An exact sum in SQL; one that does not fit in 64 bits compares unequal to every stored integer."""
    halves = sql.sum_columns([value], connection.dialect.name)
    return halves[0] if len(halves) == 1 else halves[0] * (1 << 32) + halves[1]


def _costs(connection: Connection) -> Iterable[str]:
    charged, r = _charged(connection), schema.record.c
    joined = schema.record.outerjoin(charged, and_(charged.c.source_id == r.source_id, charged.c.record_id == r.id))
    pairs = [
        (r.cost_pico, charged.c.cost),
        *((r[f"cost_{part}_pico"], charged.c[f"cost_{part}"]) for part in COST_PARTS),
    ]
    differs = or_(*(func.coalesce(mine, 0) != func.coalesce(theirs, 0) for mine, theirs in pairs))
    nulls = or_(*(mine.is_(None) != r.cost_pico.is_(None) for mine, _ in pairs))
    query = select(r.source_id, r.id, r.cost_pico, charged.c.cost).select_from(joined)
    for source_id, record_id, cost, sum_ in connection.execute(query.where(is_current(), or_(differs, nulls))):
        where = f"record {record_id} of source {source_id}"
        yield f"{where}: its cost is {cost} pico-dollars, its charges add up to {sum_ or 0}"


def _quantities(connection: Connection) -> Iterable[str]:
    """Where a cost is known, every token is on a charge, and none twice."""
    charged, r = _charged(connection), schema.record.c
    joined = schema.record.outerjoin(charged, and_(charged.c.source_id == r.source_id, charged.c.record_id == r.id))
    for part in ("input", "intermediate", "output"):
        tokens, quantity = r[f"tokens_{part}"], charged.c[f"quantity_{part}"]
        query = select(r.source_id, r.id, tokens, quantity).select_from(joined)
        differs = func.coalesce(tokens, 0) != func.coalesce(quantity, 0)
        query = query.where(is_current(), r.cost_pico.is_not(None), differs)
        for source_id, record_id, mine, theirs in connection.execute(query):
            where = f"record {record_id} of source {source_id}"
            yield f"{where}: it has {mine} {part} tokens, its charges are for {theirs or 0}"


def _label_sets(connection: Connection) -> Iterable[str]:
    w, known = schema.rollup_wide.c, schema.label_set.c
    joined = schema.rollup_wide.outerjoin(
        schema.label_set, and_(known.source_id == w.source_id, known.labels_hash == w.labels_hash)
    )
    query = select(w.source_id, func.count()).select_from(joined).where(known.labels.is_(None)).group_by(w.source_id)
    for source_id, count in connection.execute(query):
        yield f"source {source_id}: {count} cells of rollup_wide have labels that are not in label_set"


def _rollup(table: Table, connection: Connection) -> Iterable[str]:
    engine = connection.dialect.name
    key = [column.name for column in table.primary_key]
    keys = [rollup.KEYED[name].label(f"key_{place}") for place, name in enumerate(key)]
    values = sql.sum_columns((rollup.MEASURED[name] for name in MEASURES), engine)
    query = select(*keys, *values).where(is_current()).group_by(*keys)
    rows = connection.execute(query)
    true = {tuple(row[: len(key)]): sql.exact_sums(row[len(key) :], engine) for row in rows}
    stored = {tuple(row[: len(key)]): tuple(row[len(key) :]) for row in connection.execute(select(table))}
    nothing = (0,) * len(MEASURES)
    for cell in sorted(true.keys() | stored.keys()):
        mine, theirs = stored.get(cell, nothing), true.get(cell, nothing)
        if mine != theirs:
            name, kept, right = next(each for each in zip(MEASURES, mine, theirs, strict=True) if each[1] != each[2])
            yield f"{table.name} ({_cell(key, cell)}): {name} is {kept}, its records add up to {right}"


def _cell(key: Iterable[str], cell: Iterable[Any]) -> str:
    pairs = zip(key, cell, strict=True)
    return ", ".join(f"{name}={value.hex() if isinstance(value, bytes) else value}" for name, value in pairs)
