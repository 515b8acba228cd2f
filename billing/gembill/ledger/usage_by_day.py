"""Calls one by one, or those whose usage is doubtful, by the days of Google's bill.

Owns: the charges of each call with all that tells SKUs apart, and the calls of which not everything is known.
Not here: sums of charges (`usage_sums`) and of results (`result_sums`), and comparisons. Invariant: the groups of a
call are those of the sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from gembill.ledger import schema, sql
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.model import Flag, Meter, Modality, Status
from gembill.reconcile.sums import Doubt, Usage

_EDGE_US = 15 * 60 * 1_000_000
_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_LONG = 200_000
_DOUBTFUL = (Status.UNKNOWN, Status.PARTIAL)


def read_usage_of_calls(
    ledger: Ledger, selection: Selection, offsets: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, int, Usage]]:
    """The id and the moment of each call selected with its charges, grouped as in `usage_sums`, one call at a time."""
    engine = ledger.engine.dialect.name
    r, c = schema.record.c, schema.charge.c
    keys = [r.id, r.occurred_us, *_keys(offsets)]
    values = sql.sum_columns([c.quantity, c.cost_pico], engine)
    joined = schema.record.join(schema.charge, and_(c.source_id == r.source_id, c.record_id == r.id))
    query = select(*keys, *values).select_from(joined).where(*selected(selection, engine)).group_by(r.source_id, *keys)
    with translated("read its charges"), snapshot(ledger.engine) as connection:
        for row in connection.execution_options(stream_results=True).execute(query.order_by(r.occurred_us, r.id)):
            usage = _usage(row[2 : len(keys)], sql.exact_sums(row[len(keys) :], engine))
            if usage.quantity or usage.cost_pico:
                yield row.id, row.occurred_us, usage


def read_doubts(ledger: Ledger, selection: Selection, offsets: Sequence[tuple[int, int]]) -> list[Doubt]:
    """Where calls are whose usage is not known whole, from the rollup by hour; clocks differ by whole hours."""
    rollup = schema.rollup_narrow.c
    counted = {status: func.sum(case((rollup.status == status.value, rollup.calls), else_=0)) for status in _DOUBTFUL}
    at = rollup.hour_utc * _literal(_HOUR_US)
    day = ((at + _offset(at, offsets)) // _literal(_DAY_US)).label("day")
    where: list[ColumnElement[bool]] = [rollup.status.in_([status.value for status in _DOUBTFUL])]
    where += [at >= selection.start_us] if selection.start_us is not None else []
    where += [at < selection.end_us] if selection.end_us is not None else []
    keys = (day, rollup.model, rollup.service_tier)
    query = select(*keys, *counted.values()).where(*where).group_by(*keys).order_by(*keys)
    with translated("read its totals"), snapshot(ledger.engine) as connection:
        rows = connection.execute(query).all()
    return [
        Doubt(day=int(row[0]), model=row[1], service_tier=row[2], unknown=int(row[3]), partial=int(row[4]))
        for row in rows
        if row[3] or row[4]
    ]


def _keys(offsets: Sequence[tuple[int, int]]) -> list[ColumnElement[Any]]:
    """What charges are grouped by, in the order in which `_usage` takes them."""
    r, c = schema.record.c, schema.charge.c
    local = r.occurred_us + _offset(r.occurred_us, offsets)
    return [
        (local // _literal(_DAY_US)).label("day"),
        *(r.model, r.service_tier, r.project, r.location, c.meter, c.modality),
        _flag(func.coalesce(r.tokens_input, 0) > _literal(_LONG)).label("long"),
        _lifted(r).label("lifted"),
        _flag(r.flags.like(f'%"{Flag.TOOL_TOKENS_WITH_GROUNDING.value}"%')).label("grounded"),
        _edge(local % _literal(_DAY_US)).label("edge"),
    ]


def _literal(value: int) -> ColumnElement[int]:
    """A number in the text: PostgreSQL takes two parameters with the same value for different expressions."""
    return literal(value, literal_execute=True)


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, _literal(1)), else_=_literal(0))


def _offset(at: ColumnElement[int], offsets: Sequence[tuple[int, int]]) -> ColumnElement[int]:
    first, *later = offsets
    whens = [(at >= _literal(since), _literal(offset)) for since, offset in reversed(later)]
    return case(*whens, else_=_literal(first[1])) if whens else _literal(first[1])


def _lifted(r: Any) -> ColumnElement[int]:  # noqa: ANN401 - the columns of `record`
    prompt = func.coalesce(r.tokens_input, 0)
    with_intermediate = prompt + func.coalesce(r.tokens_intermediate, 0)
    return _flag(and_(prompt <= _literal(_LONG), with_intermediate > _literal(_LONG)))


def _edge(of_day: ColumnElement[int]) -> ColumnElement[int]:
    return case(
        (of_day < _literal(_EDGE_US), _literal(-1)),
        (of_day >= _literal(_DAY_US - _EDGE_US), _literal(1)),
        else_=_literal(0),
    )


def _usage(key: Sequence[Any], sums: Sequence[int]) -> Usage:
    day, model, tier, project, location, meter, modality, is_long, lifted, grounded, edge = key
    return Usage(
        day=int(day),
        model=model or "",
        service_tier=tier,
        project=project,
        location=location,
        meter=Meter(meter),
        modality=Modality(modality),
        long=bool(is_long),
        lifted=bool(lifted),
        grounded=bool(grounded),
        edge=int(edge),
        quantity=sums[0],
        cost_pico=sums[1],
    )
