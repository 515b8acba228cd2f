"""Closing a month, and the proof that the books still say what was closed.

Owns: the document that is kept of a month, its digest, and the lock under which a month is closed. Not here: reading
closed months (`closings`). Invariant: `seen_us` is when the newest revision of the month's calls was posted (also of a
call that was moved out of it), read under a lock for which every writer has to be done, and no reader, and not the
clock's time: whoever writes afterwards is posted later than `seen_us`, also if it began before or its clock is slow
(`transaction.posted_at`).
"""

import json
from collections.abc import Iterable
from dataclasses import astuple
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, and_, func, select

from gembill.errors import ConfigurationError
from gembill.ledger import engine as engines
from gembill.ledger import schema, sql
from gembill.ledger.closings import SUMMED, Closing, closing_of
from gembill.ledger.entry_counts import count_entries
from gembill.ledger.errors import translated
from gembill.ledger.reading import DrivenSnapshot
from gembill.ledger.record_selection import selected
from gembill.ledger.record_totals import sum_records
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.period import Period, iso, tz_version

_KEYS = ("model", "service_tier", "status")


def close_month(ledger: Ledger, month: str, period: Period, now_us: int) -> Closing:
    """Close a month for good. ConfigurationError if it is closed already."""
    with translated("close a month"), engines.writing(ledger.engine) as connection:
        sql.lock_closings(connection, shared=False)
        require_open(_closings(connection), month, period)
        closing = _closing(connection, month, period, now_us)
        sql.insert(connection, schema.closed_month, [astuple(closing)])
    return closing


def require_open(closings: Iterable[Closing], month: str, period: Period) -> None:
    """ConfigurationError if a month is among those that were closed in its calendar."""
    for one in closings:
        if (one.month, one.timezone) == (month, period.timezone):
            when = iso(one.closed_us, period.zone)
            raise ConfigurationError(f"{month} was closed at {when}; a month is closed once (`gembill close --list`)")


def audit_closings(connection: Connection) -> Iterable[str]:
    """Whether every closed month says what it said, and the books of that moment say the same."""
    for closing in _closings(connection):
        which = f"the closed month {closing.month} ({closing.timezone})"
        if _digest(closing.document) != closing.digest:
            yield f"{which}: its document is not the one of its digest"
            continue
        kept, now = json.loads(closing.document), _sums(connection, closing.selection)
        for name in ("rows", "charges"):
            if kept[name] != now[name]:
                yield f"{which}: its {name} are not those of the calls that were posted until it was closed"
        lists = _price_lists(connection)
        for one in kept["price_lists"]:
            if one not in lists:
                yield f"{which}: the price list {one['number']} is not there any more"


def _closing(connection: Connection, month: str, period: Period, now_us: int) -> Closing:
    start, end = period.start_us, period.end_us
    assert start is not None
    assert end is not None
    seen_us = _seen_us(connection, start, end)
    sums = _sums(connection, Selection(start_us=start, end_us=end, seen_us=seen_us))
    head = {"schema_version": 1, "month": month, "timezone": period.timezone, "timezone_database": tz_version()}
    head |= {"start": period.start, "end": period.end, "closed_us": now_us, "seen_us": seen_us}
    head |= {"entries": count_entries(DrivenSnapshot(connection), start, end)}
    document = json.dumps(head | sums | {"price_lists": _price_lists(connection)}, sort_keys=True)
    return Closing(
        month=month,
        timezone=period.timezone,
        start_us=start,
        end_us=end,
        closed_us=now_us,
        seen_us=seen_us,
        digest=_digest(document),
        document=document,
    )


def _seen_us(connection: Connection, start_us: int, end_us: int) -> int:
    """When the newest revision of a call was posted that ever had a time in the month; 0 where none had."""
    of_month, newest = schema.entry.alias("of_month"), schema.entry.alias("newest")
    same = and_(newest.c.source_id == of_month.c.source_id, newest.c.id == of_month.c.id)
    within = (of_month.c.occurred_us >= start_us, of_month.c.occurred_us < end_us)
    posted = select(func.max(newest.c.posted_us)).select_from(of_month.join(newest, same)).where(*within)
    return connection.scalar(posted) or 0


def _digest(document: str) -> str:
    return sha256(document.encode()).hexdigest()


def _sums(connection: Connection, selection: Selection) -> dict[str, list[dict[str, Any]]]:
    """The measures by model, tier and status, and what was charged by price."""
    rows = [
        dict(zip(_KEYS, list(key), strict=False)) | dict(zip(SUMMED, sums, strict=True))
        for key, sums in sum_records(connection, selection, _KEYS, SUMMED)
    ]
    return {
        "rows": sorted(rows, key=lambda row: [row[name] for name in _KEYS]),
        "charges": _charges(connection, selection),
    }


def _charges(connection: Connection, selection: Selection) -> list[dict[str, Any]]:
    r, c = schema.record.c, schema.charge.c
    mine = (c.source_id == r.source_id, c.record_id == r.id, c.revision <= r.revision)
    joined = schema.record.join(schema.charge, and_(*mine))
    where = selected(selection, connection.dialect.name)
    query = select(c.price_id, c.meter).select_from(joined).where(*where).group_by(c.price_id, c.meter)
    groups = []
    for row, (quantity, cost) in sql.summed(connection, query, [c.quantity, c.cost_pico]):
        price_id, meter = tuple(row)[:2]
        groups.append({"price_id": price_id, "meter": meter, "quantity": quantity, "cost_pico": cost})
    return sorted(groups, key=lambda one: (one["price_id"], one["meter"]))


def _price_lists(connection: Connection) -> list[dict[str, Any]]:
    c = schema.price_list.c
    rows = connection.execute(select(c.number, c.origin, c.digest).order_by(c.number))
    return [{"number": number, "origin": origin, "digest": digest} for number, origin, digest in rows]


def _closings(connection: Connection) -> list[Closing]:
    return [closing_of(row) for row in connection.execute(select(schema.closed_month))]
