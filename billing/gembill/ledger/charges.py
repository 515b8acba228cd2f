"""What calls were charged: each charge as it was written, or sums over a period by all that decides a price.

Owns: the queries over charges, net of their corrections where they are summed. Not here: prices and comparisons.
Invariant: quantities and costs are exact, and those of all groups add up to the cost of the current revisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from gembill.ledger import schema, sql
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerCharge, LedgerRecord
from gembill.ledger.errors import translated
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.model import Charge, Meter, Modality

RecordKey = tuple[int, str]
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


def read_charges(ledger: Ledger, stored: LedgerRecord) -> list[LedgerCharge]:
    """All charges of all revisions of a record, in the order in which they were written."""
    return read_charges_of(ledger, [stored])[stored.record.source_id, stored.record.id]


def read_charges_of(ledger: Ledger, calls: Sequence[LedgerRecord]) -> dict[RecordKey, list[LedgerCharge]]:
    """All charges of all revisions of these calls, by (source, id), in the order in which they were written."""
    c = schema.charge.c
    charges: dict[RecordKey, list[LedgerCharge]] = {(one.record.source_id, one.record.id): [] for one in calls}
    with snapshot(ledger.engine) as connection:
        for source_id in sorted({source_id for source_id, _ in charges}):
            ids = sorted(record_id for source, record_id in charges if source == source_id)
            query = select(schema.charge).where(c.source_id == source_id, c.record_id.in_(ids))
            for row in connection.execute(query.order_by(c.record_id, c.revision, c.line)):
                charges[source_id, row.record_id].append(_charge(row))
    return charges


def sum_charges(
    ledger: Ledger, selection: Selection, thresholds: Sequence[int] = (), *, with_intermediate: bool = False
) -> list[ChargeTotal]:
    """The charges of the current revisions of the calls selected, summed by group.

    `thresholds` are prompt sizes at which prices change; `with_intermediate` counts intermediate tokens to the prompt.
    """
    engine = ledger.engine.dialect.name
    r, c = schema.record.c, schema.charge.c
    prompt = func.coalesce(r.tokens_input, 0) + (func.coalesce(r.tokens_intermediate, 0) if with_intermediate else 0)
    keys = [r.model, r.service_tier, c.meter, c.modality, c.price_id, _above(prompt, thresholds).label("above")]
    values = sql.sum_columns([c.quantity, c.cost_pico], engine)
    mine = (c.source_id == r.source_id, c.record_id == r.id, c.revision <= r.revision)
    joined = schema.record.join(schema.charge, and_(*mine))
    query = select(*keys, *values).select_from(joined).where(*selected(selection, engine)).group_by(*keys)
    with translated("sum up its charges"), snapshot(ledger.engine) as connection:
        rows = connection.execute(query.order_by(*keys)).all()
    groups = [_total(tuple(row[: len(keys)]), sql.exact_sums(row[len(keys) :], engine)) for row in rows]
    return [one for one in groups if one.quantity or one.cost_pico]


def _above(prompt: ColumnElement[int], thresholds: Sequence[int]) -> ColumnElement[int]:
    """The highest threshold a prompt exceeds. It is an expression in any case: GROUP BY takes a bare 0 for a place."""
    sizes = sorted(thresholds, reverse=True) or [_LONGER_THAN_ANY]
    whens = [(prompt > size, literal(size, literal_execute=True)) for size in sizes]
    return case(*whens, else_=literal(0, literal_execute=True))


def _charge(row: Any) -> LedgerCharge:  # noqa: ANN401
    """A row of `charge`."""
    charge = Charge(
        meter=Meter(row.meter),
        modality=Modality(row.modality),
        quantity=row.quantity,
        unit_pico=row.unit_pico,
        price_id=row.price_id,
    )
    return LedgerCharge(revision=row.revision, line=row.line, charge=charge)


def _total(key: tuple[str | None, str, str, str, str, int], sums: tuple[int, ...]) -> ChargeTotal:
    model, tier, meter, modality, price_id, above = key
    return ChargeTotal(
        model=model or None,
        service_tier=tier,
        meter=Meter(meter),
        modality=Modality(modality),
        price_id=price_id,
        above=above,
        quantity=sums[0],
        cost_pico=sums[1],
    )
