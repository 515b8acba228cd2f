"""Whether a posting can be kept, asked before any row is written.

Owns: bounds of what both engines keep alike. Not here: cleaning, which is capture's. Invariant: what passes is stored
by SQLite and PostgreSQL without change, and what does not is an InvalidPosting that names the field, never the value.
"""

import re
from collections.abc import Iterable

from gembill.ledger.entries import NATURAL_SOURCES, RatedEvent
from gembill.ledger.errors import InvalidPosting
from gembill.model import Rating, Record

_MOST = 2**63 - 1
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXTS = (
    *("model", "key", "service_tier", "requested_model", "agent", "finish_reason", "response_id", "conversation"),
    *("location", "project"),
)
_NAME_BYTES = 768  # three of these fit in a PostgreSQL index entry


def check_posting(source_id: int, posting: RatedEvent) -> None:
    """InvalidPosting unless the posting can be kept under this source."""
    record = posting.record
    check_source(source_id)
    _id("event_id", posting.event_id)
    if record.source_id != source_id and record.source_id not in NATURAL_SOURCES:
        raise InvalidPosting(
            f"source_id of the record is {record.source_id}, neither its spool's {source_id} nor a reserved one"
        )
    if not isinstance(posting.body, bytes):
        raise InvalidPosting(f"body of the event is {type(posting.body).__name__}, not bytes")
    _whole("seq", posting.seq, least=1)
    check_entry(record, posting.rating)


def check_source(source_id: int) -> None:
    """InvalidPosting unless the number is a spool's (63 bits, positive) or one of the reserved negative ones."""
    if type(source_id) is not int or not (0 < source_id <= _MOST or source_id in NATURAL_SOURCES):
        raise InvalidPosting(f"source_id is {source_id}; it must be in 1..2^63-1 or -64..-1")


def check_entry(record: Record, rating: Rating) -> None:
    """InvalidPosting unless record and rating can be kept."""
    _id("id", record.id)
    _whole("occurred_us", record.occurred_us, least=-_MOST)
    for name in ("ended_us", "http_status", "turns"):
        _whole(name, getattr(record, name), least=-_MOST)
    tokens = record.tokens
    for name in ("input", "intermediate", "output", "total", "cached", "thinking"):
        _whole(f"tokens.{name}", getattr(tokens, name))
    _check_texts(record, rating)
    _check_money(rating)


def _check_money(rating: Rating) -> None:
    for charge in rating.charges:
        _whole("quantity of a charge", charge.quantity)
        _whole("unit_pico of a charge", charge.unit_pico)
        _whole("cost_pico of a charge", charge.cost_pico)
    _whole("the cost", rating.cost_pico)


def _check_texts(record: Record, rating: Rating) -> None:
    for name in ("model", "key", "service_tier"):
        value = getattr(record, name)
        length = 0 if value is None else len(value.encode("utf-8", "surrogatepass"))
        if length > _NAME_BYTES:
            raise InvalidPosting(f"{name} has {length} bytes, more than {_NAME_BYTES}")
    fault = record.error
    _texts("error", () if fault is None else (str(fault.code), fault.status, fault.kind))
    for name in _TEXTS:
        _texts(name, (getattr(record, name),))
    _texts("labels", (*record.labels.keys(), *record.labels.values()))
    _texts("flags or anomalies", (*record.flags, *rating.flags, *record.anomalies, rating.unpriced_reason))
    _texts("executions", (text for run in record.executions for text in (run.part_id, run.language)))
    _texts("price_id", (charge.price_id for charge in rating.charges))


def _texts(name: str, values: Iterable[str | None]) -> None:
    for value in values:
        if value is None or (value.isascii() and "\0" not in value):
            continue
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise InvalidPosting(f"{name} contains a NUL or half a surrogate pair")


def _whole(name: str, value: int | None, least: int = 0) -> None:
    if value is not None and (type(value) is not int or not least <= value <= _MOST):
        raise InvalidPosting(f"{name} is not a whole number in {least}..{_MOST}")


def _id(name: str, value: str) -> None:
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise InvalidPosting(f"{name} is not a UUID in its usual form")
