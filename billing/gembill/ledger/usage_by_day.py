"""What the ledger charged, by the days of Google's bill and all that tells one SKU from another.

Owns: the query over charges grouped by Pacific day, model, tier, meter and kind of content, and by what policies and
edges of days move between them. Not here: comparisons. Invariant: quantities and costs of all groups add up to the
charges of the current revisions, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from gembill.ledger import schema, sql
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.model import Flag, Meter, Modality

EDGE_US = 15 * 60 * 1_000_000
_DAY_US = 86_400_000_000
_LONG = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Charges of one kind on one day: `quantity` in the meter's unit, `cost_pico` in pico-dollars.

    `long` says that the prompts exceed 200,000 tokens, `lifted` that they do only with intermediate tokens counted;
    `grounded` that a search met intermediate tokens; `edge` is -1 in the first 15 minutes of the day, 1 in the last.
    """

    day: int
    model: str
    service_tier: str
    project: str | None
    meter: Meter
    modality: Modality
    long: bool
    lifted: bool
    grounded: bool
    edge: int
    quantity: int
    cost_pico: int


def sum_usage(ledger: Ledger, selection: Selection, offsets: Sequence[tuple[int, int]]) -> list[Usage]:
    """The charges of the current revisions of the calls selected.

    `offsets` are the instants since which a clock differs from UTC by so many microseconds, oldest first; the first
    also holds before.
    """
    engine = ledger.engine.dialect.name
    r, c = schema.record.c, schema.charge.c
    local = r.occurred_us + _offset(r.occurred_us, offsets)
    keys = [
        (local // _literal(_DAY_US)).label("day"),
        *(r.model, r.service_tier, r.project, c.meter, c.modality),
        _flag(func.coalesce(r.tokens_input, 0) > _LONG).label("long"),
        _lifted(r).label("lifted"),
        _flag(r.flags.contains(f'"{Flag.TOOL_TOKENS_WITH_GROUNDING.value}"')).label("grounded"),
        _edge(local % _literal(_DAY_US)).label("edge"),
    ]
    values = sql.sum_columns([c.quantity, c.cost_pico], engine)
    joined = schema.record.join(schema.charge, and_(c.source_id == r.source_id, c.record_id == r.id))
    query = select(*keys, *values).select_from(joined).where(*selected(selection, engine)).group_by(*keys)
    with translated("sum up its charges"), snapshot(ledger.engine) as connection:
        rows = connection.execute(query.order_by(*keys)).all()
    usages = [_usage(row[: len(keys)], sql.exact_sums(row[len(keys) :], engine)) for row in rows]
    return [usage for usage in usages if usage.quantity or usage.cost_pico]


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
        (of_day < _literal(EDGE_US), _literal(-1)),
        (of_day >= _literal(_DAY_US - EDGE_US), _literal(1)),
        else_=_literal(0),
    )


def _usage(key: Sequence[Any], sums: Sequence[int]) -> Usage:
    day, model, tier, project, meter, modality, is_long, lifted, grounded, edge = key
    return Usage(
        day=int(day),
        model=model or "",
        service_tier=tier,
        project=project,
        meter=Meter(meter),
        modality=Modality(modality),
        long=bool(is_long),
        lifted=bool(lifted),
        grounded=bool(grounded),
        edge=int(edge),
        quantity=sums[0],
        cost_pico=sums[1],
    )
