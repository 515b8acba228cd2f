"""The price lists of a ledger, append-only.

Owns: the statements on `price_list` and `price`. Not here: which price counts (`gembill.price_catalog`,
`gembill.rules.prices`). Invariant: a list once added is never changed or removed, so every price a charge ever named
can be shown again; a list whose digest is there already is not added twice.

A list's rows are kept without those that an earlier list of the same origin has word for word.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from gembill.ledger import schema, sql
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.store import Ledger
from gembill.model import Meter, Modality, Price

_LISTED = re.compile(r"(?:set|sync)-([0-9]{1,18})/(.+)", re.DOTALL)


class Origin(StrEnum):
    """Where a price list comes from."""

    BUNDLED = "bundled"  # prices.toml of a version of this program
    SYNC = "sync"  # accepted from genai-prices
    SET = "set"  # a user's own, negotiated prices
    FILE = "file"  # the file that the setting `prices` names; kept so that its charges can be explained


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A list as it was added. `rows` is empty for bundled lists and files, which are in force from where they are."""

    number: int
    origin: Origin
    digest: str
    added_us: int
    rows: tuple[Price, ...] = ()


def newest(ledger: Ledger) -> int:
    """The number of the list that was added last, 0 if there is none: whether anything changed since."""
    with translated("read its prices"), ledger.engine.connect() as connection:
        return _newest(connection)


def lists(ledger: Ledger) -> list[PriceList]:
    """All lists in the order in which they were added; those of users with their rows, ids beginning `set-3/`."""
    number = schema.price_list.c.number
    mine = schema.price_list.c.origin.in_((Origin.SET.value, Origin.SYNC.value))
    with translated("read its prices"), snapshot(ledger.engine) as connection:
        heads = list(connection.execute(select(schema.price_list).order_by(number)))
        joined = schema.price.join(schema.price_list, schema.price.c.list_number == number)
        rows = list(connection.execute(select(schema.price).select_from(joined).where(mine)))
    return [_list(head, [row for row in rows if row.list_number == head.number]) for head in heads]


def explained(ledger: Ledger, ids: Iterable[str]) -> dict[str, Price]:
    """The price rows with these ids; of a row that was corrected in place the last wording."""
    names = [_place(one) for one in dict.fromkeys(ids)]
    c = schema.price.c
    wanted = [c.id == name if number is None else and_(c.list_number == number, c.id == name) for number, name in names]
    if not wanted:
        return {}
    head = schema.price_list.c
    query = select(schema.price, head.origin).join(schema.price_list, c.list_number == head.number)
    with translated("read its prices"), ledger.engine.connect() as connection:
        rows = connection.execute(query.where(or_(*wanted)).order_by(c.list_number))
        return {price.id: price for price in (_price(row, Origin(row.origin)) for row in rows)}


def digest_of(rows: Iterable[Price]) -> str:
    """SHA-256 in hex over all that a list says."""
    return sha256("\n".join(sorted(repr(astuple(row)) for row in rows)).encode()).hexdigest()


def add(ledger: Ledger, origin: Origin, rows: Sequence[Price], digest: str | None = None) -> int:
    """Add a list and give its number. One of this origin and digest that is there already is only looked up.

    What a user sets is always added again, because the latest entry wins.
    """
    digest = digest or digest_of(rows)
    number = 0
    for attempt in ledger.attempts("keep prices"):
        with attempt as transaction:
            number = _add(transaction.connection, origin, rows, (digest, transaction.now_us))
    return number


def _add(connection: Connection, origin: Origin, rows: Sequence[Price], mark: tuple[str, int]) -> int:
    digest, now_us = mark
    head = schema.price_list.c
    if origin is not Origin.SET:
        known = connection.scalar(select(head.number).where(head.origin == origin.value, head.digest == digest))
        if known is not None:
            return int(known)
    fresh = _unwritten(connection, origin, rows) if origin in (Origin.BUNDLED, Origin.FILE) else list(rows)
    number = _newest(connection) + 1
    sql.insert(connection, schema.price_list, [(number, origin.value, digest, now_us)])
    sql.insert(connection, schema.price, [_row(number, price) for price in fresh])
    return number


def _unwritten(connection: Connection, origin: Origin, rows: Sequence[Price]) -> list[Price]:
    """The rows that no list of this origin has in the same words, or only an older one that was corrected since."""
    c, head = schema.price.c, schema.price_list.c
    query = select(schema.price).join(schema.price_list, c.list_number == head.number)
    rows_there = connection.execute(query.where(head.origin == origin.value).order_by(c.list_number))
    known = {row.id: _price(row, origin) for row in rows_there}
    return [row for row in rows if known.get(row.id) != row]


def _newest(connection: Connection) -> int:
    return int(connection.scalar(select(func.max(schema.price_list.c.number))) or 0)


def _list(head: Row[Any], rows: Sequence[Row[Any]]) -> PriceList:
    origin = Origin(head.origin)
    prices = tuple(_price(row, origin) for row in rows)
    return PriceList(number=head.number, origin=origin, digest=head.digest, added_us=head.added_us, rows=prices)


def _place(price_id: str) -> tuple[int | None, str]:
    """The list and the id in it: `set-3/x` is x of list 3; others keep their id in whatever list they are."""
    match = _LISTED.fullmatch(price_id)
    return (int(match[1]), match[2]) if match else (None, price_id)


def _row(number: int, price: Price) -> sql.Row:
    return (
        number,
        price.id,
        price.model,
        price.meter.value,
        price.modality.value,
        price.service_tier,
        price.above_prompt_tokens,
        price.unit_pico,
        price.effective_from_us,
        price.effective_to_us,
        price.source,
        price.checked_on,
    )


def _price(row: Row[Any], origin: Origin) -> Price:
    price = Price(
        id=row.id,
        model=row.model,
        meter=Meter(row.meter),
        modality=Modality(row.modality),
        service_tier=row.service_tier,
        above_prompt_tokens=row.above_prompt_tokens,
        unit_pico=row.unit_pico,
        effective_from_us=row.effective_from_us,
        effective_to_us=row.effective_to_us,
        source=row.source,
        checked_on=row.checked_on,
    )
    if origin in (Origin.SET, Origin.SYNC):
        return replace(price, id=f"{origin.value}-{row.list_number}/{row.id}")
    return price
