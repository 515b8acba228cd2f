"""What was charged in a period, summed by all that decides a price.

Owns: the sums over charges, net of their corrections. Owns no price and no comparison.
Invariant: quantities and costs are exact, and those of all groups add up to the cost of the current revisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from gembill.ledger import schema, sums
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.records import is_current
from gembill.ledger.selection import Selection, conditions, labelled
from gembill.ledger.store import Ledger
from gembill.model import Meter, Modality

_LONGER_THAN_ANY = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeTotal:
    """Charges of one kind: `quantity` in tokens (for grounding searches or prompts), `cost_pico` as charged.

    `above` is the highest of the thresholds asked for that the prompts exceed, 0 if none.
    """

    model: str | None
    service_tier: str
    meter: Meter
    modality: Modality
    price_id: str
    above: int
    quantity: int
    cost_pico: int


def usage(
    ledger: Ledger, selection: Selection, thresholds: Sequence[int] = (), *, with_intermediate: bool = False
) -> list[ChargeTotal]:
    """The charges of the current revisions of the calls selected, summed by group.

    `thresholds` are prompt sizes at which prices change; `with_intermediate` counts intermediate tokens to the prompt.
    """
    engine = ledger.engine.dialect.name
    r, c = schema.record.c, schema.charge.c
    prompt = func.coalesce(r.tokens_input, 0) + (func.coalesce(r.tokens_intermediate, 0) if with_intermediate else 0)
    keys = [r.model, r.service_tier, c.meter, c.modality, c.price_id, _above(prompt, thresholds).label("above")]
    values = sums.selected([c.quantity, c.cost_pico], engine)
    joined = schema.record.join(schema.charge, and_(c.source_id == r.source_id, c.record_id == r.id))
    query = select(*keys, *values).select_from(joined).where(*_where(selection, engine)).group_by(*keys)
    with translated("sum up its charges"), snapshot(ledger.engine) as connection:
        rows = connection.execute(query.order_by(*keys)).all()
    found = [_usage(tuple(row[: len(keys)]), sums.joined(row[len(keys) :], engine)) for row in rows]
    return [one for one in found if one.quantity or one.cost_pico]


def _above(prompt: ColumnElement[int], thresholds: Sequence[int]) -> ColumnElement[int]:
    """The highest threshold a prompt exceeds. It is an expression in any case: GROUP BY takes a bare 0 for a place."""
    sizes = sorted(thresholds, reverse=True) or [_LONGER_THAN_ANY]
    whens = [(prompt > size, literal(size, literal_execute=True)) for size in sizes]
    return case(*whens, else_=literal(0, literal_execute=True))


def _where(selection: Selection, engine: str) -> list[ColumnElement[bool]]:
    c = schema.record.c
    where = [is_current(), *conditions(selection, schema.record, engine), *labelled(selection.labels, c.labels, engine)]
    where += [c.occurred_us >= selection.start_us] if selection.start_us is not None else []
    where += [c.occurred_us < selection.end_us] if selection.end_us is not None else []
    return where


def _usage(key: tuple[str | None, str, str, str, str, int], found: tuple[int, ...]) -> ChargeTotal:
    model, tier, meter, modality, price_id, above = key
    return ChargeTotal(
        model=model or None,
        service_tier=tier,
        meter=Meter(meter),
        modality=Modality(modality),
        price_id=price_id,
        above=above,
        quantity=found[0],
        cost_pico=found[1],
    )
