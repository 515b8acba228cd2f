"""The price lists of a ledger, append-only.

Owns: the statements on `price_list` and `price`. Not here: which price counts (`gembill.price_catalog`,
`gembill.rules.prices`). Invariant: a list once added is never changed or removed, so every price a charge ever named
can be shown again; a list whose digest is there already is not added twice.

A list's rows are kept without those that an earlier list of the same origin has word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from gembill.ledger.errors import translated
from gembill.ledger.reading import DrivenSnapshot, Snapshot
from gembill.ledger.store import Ledger
from gembill.model import Meter, Modality, Price

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FIELDS = [field.name for field in fields(Price)]  # columns of `price` are called so
_ROWS = f"SELECT list_number, origin, {', '.join(_FIELDS)} FROM price JOIN price_list ON list_number = number"  # noqa: S608
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
    with translated("read its prices"), ledger.reading() as snapshot:
        return _newest(snapshot)


def lists(ledger: Ledger) -> list[PriceList]:
    """All lists in the order in which they were added; those of users with their rows, ids beginning `set-3/`."""
    with translated("read its prices"), ledger.reading() as snapshot:
        heads = snapshot.rows("SELECT number, origin, digest, added_us FROM price_list ORDER BY number")
        rows = snapshot.rows(f"{_ROWS} WHERE origin IN (?, ?)", (Origin.SET.value, Origin.SYNC.value))
    return [_list(head, [row for row in rows if row[0] == head[0]]) for head in heads]


def explained(ledger: Ledger, ids: Iterable[str]) -> dict[str, Price]:
    """The price rows with these ids; of a row that was corrected in place the last wording."""
    names = [_place(one) for one in dict.fromkeys(ids)]
    if not names:
        return {}
    wanted = " OR ".join("id = ?" if number is None else "(id = ? AND list_number = ?)" for number, _ in names)
    values = [value for number, name in names for value in ((name,) if number is None else (name, number))]
    with translated("read its prices"), ledger.reading() as snapshot:
        rows = snapshot.rows(f"{_ROWS} WHERE {wanted} ORDER BY list_number", values)
    return {price.id: price for price in (_price(row) for row in rows)}


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
    from gembill.ledger import schema, sql

    digest, now_us = mark
    snapshot = DrivenSnapshot(connection)
    if origin is not Origin.SET:
        known = snapshot.rows("SELECT number FROM price_list WHERE origin = ? AND digest = ?", (origin.value, digest))
        if known:
            return int(known[0][0])
    fresh = _unwritten(snapshot, origin, rows) if origin in (Origin.BUNDLED, Origin.FILE) else list(rows)
    number = _newest(snapshot) + 1
    sql.insert(connection, schema.price_list, [(number, origin.value, digest, now_us)])
    sql.insert(connection, schema.price, [_row(number, price) for price in fresh])
    return number


def _unwritten(snapshot: Snapshot, origin: Origin, rows: Sequence[Price]) -> list[Price]:
    """The rows that no list of this origin has in the same words, or only an older one that was corrected since."""
    rows_there = snapshot.rows(f"{_ROWS} WHERE origin = ? ORDER BY list_number", (origin.value,))
    known = {row[2]: _price(row) for row in rows_there}
    return [row for row in rows if known.get(row.id) != row]


def _newest(snapshot: Snapshot) -> int:
    return int(snapshot.rows("SELECT max(number) FROM price_list")[0][0] or 0)


def _list(head: Sequence[Any], rows: Sequence[Sequence[Any]]) -> PriceList:
    number, origin, digest, added_us = head
    prices = tuple(_price(row) for row in rows)
    return PriceList(number=number, origin=Origin(origin), digest=digest, added_us=added_us, rows=prices)


def _place(price_id: str) -> tuple[int | None, str]:
    """The list and the id in it: `set-3/x` is x of list 3; others keep their id in whatever list they are."""
    match = _LISTED.fullmatch(price_id)
    return (int(match[1]), match[2]) if match else (None, price_id)


def _row(number: int, price: Price) -> tuple[Any, ...]:
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


def _price(row: Sequence[Any]) -> Price:
    number, origin, *values = row
    price = Price(**dict(zip(_FIELDS, values, strict=True)))
    prefix = f"{origin}-{number}/" if origin in (Origin.SET, Origin.SYNC) else ""
    return replace(price, id=prefix + price.id, meter=Meter(price.meter), modality=Modality(price.modality))
