"""Whether a posting can be kept, asked before any row is written.

Owns: bounds of what both engines keep alike. Not here: cleaning, which is capture's. Invariant: what passes is stored
by SQLite and PostgreSQL without change, and what does not is an InvalidPosting that names the field, never the value.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import astuple

from gembill.ledger.entries import NATURAL_SOURCES, RatedEvent
from gembill.ledger.errors import InvalidPosting
from gembill.model import Rating, Record, Tokens

_MOST = 2**63 - 1
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXTS = (
    *("model", "key", "service_tier", "requested_model", "agent", "finish_reason", "response_id", "conversation"),
    *("location", "project"),
)
_NAMES = ("model", "key", "service_tier")
_NAME_BYTES = 768  # three of these fit in a PostgreSQL index entry
_UTF8_BYTES = 4  # of a character, at most
_Whole = Annotated[int, Meta(ge=0, le=_MOST)]
_Name = Annotated[str, Meta(max_length=_NAME_BYTES)] | None
_SIGNED = ("occurred_us", "ended_us", "http_status", "turns")
_TOKENS = tuple(f"tokens.{name}" for name in Tokens.__struct_fields__)
_MONEY = ("quantity of a charge", "unit_pico of a charge", "cost_pico of a charge")
_texts_of, _names_of, _signed_of = attrgetter(*_TEXTS), attrgetter(*_NAMES), attrgetter(*_SIGNED)


class _OrdinaryCounts(Struct, gc=False):
    input: _Whole | None
    intermediate: _Whole | None
    output: _Whole | None
    total: _Whole | None
    cached: _Whole | None
    thinking: _Whole | None


class _Ordinary(Struct, gc=False):
    """What msgspec checks of a record in a tenth of the time that Python needs."""

    occurred_us: _Whole
    ended_us: _Whole | None
    http_status: _Whole | None
    turns: _Whole | None
    tokens: _OrdinaryCounts
    model: _Name
    key: _Name
    service_tier: _Name
    error: None


def check_posting(source_id: int, posting: RatedEvent) -> None:
    """InvalidPosting unless the posting can be kept under this source."""
    record = posting.record
    check_source(source_id)
    if posting.event_id is not record.id:
        _id("event_id", posting.event_id)
    if record.source_id != source_id and record.source_id not in NATURAL_SOURCES:
        raise InvalidPosting(
            f"source_id of the record is {record.source_id}, neither its spool's {source_id} nor a reserved one"
        )
    if not isinstance(posting.body, bytes):
        raise InvalidPosting(f"body of the event is {type(posting.body).__name__}, not bytes")
    if posting.seq is not None:
        _whole(("seq",), (posting.seq,), least=1)
    check_entry(record, posting.rating)


def check_source(source_id: int) -> None:
    """InvalidPosting unless the number is a spool's (63 bits, positive) or one of the reserved negative ones."""
    if type(source_id) is not int or not (0 < source_id <= _MOST or source_id in NATURAL_SOURCES):
        raise InvalidPosting(f"source_id is {source_id}; it must be in 1..2^63-1 or -64..-1")


def check_entry(record: Record, rating: Rating) -> None:
    """InvalidPosting unless record and rating can be kept."""
    _id("id", record.id)
    if _is_ordinary(record, rating):
        return
    _whole(_SIGNED, _signed_of(record), least=-_MOST)
    _whole(_TOKENS, astuple(record.tokens))
    figures = ((one.quantity, one.unit_pico, one.quantity * one.unit_pico) for one in rating.charges)
    _whole(_MONEY, chain.from_iterable(figures))
    _whole(("the cost",), (rating.cost_pico,))
    _check_texts(record, rating)


def _is_ordinary(record: Record, rating: Rating) -> bool:
    """Whether record and rating are like nearly all: whole numbers from 0, plain texts, no error. Names no field."""
    try:
        convert(record, _Ordinary, from_attributes=True)
    except ValidationError:
        return False
    texts = [*_texts_of(record), rating.unpriced_reason, *record.flags, *rating.flags, *record.anomalies]
    texts += (*record.labels, *record.labels.values())
    for run in record.executions:
        texts += (run.part_id, run.language)
    cost = 0
    for charge in rating.charges:
        quantity, unit = charge.quantity, charge.unit_pico
        if type(quantity) is not int or type(unit) is not int or not (0 <= quantity <= _MOST and 0 <= unit <= _MOST):
            return False
        cost += quantity * unit
        texts.append(charge.price_id)
    text = "".join(filter(None, texts))
    return cost <= _MOST and text.isascii() and "\0" not in text


def _check_texts(record: Record, rating: Rating) -> None:
    for name, value in zip(_NAMES, _names_of(record), strict=True):
        if value is not None and len(value) > _NAME_BYTES // _UTF8_BYTES:
            length = len(value.encode("utf-8", "surrogatepass"))
            if length > _NAME_BYTES:
                raise InvalidPosting(f"{name} has {length} bytes, more than {_NAME_BYTES}")
    fault = record.error
    groups: tuple[tuple[Sequence[str], tuple[str | None, ...]], ...] = (
        (("error",), () if fault is None else (str(fault.code), fault.status, fault.kind)),
        (_TEXTS, _texts_of(record)),
        (("labels",), (*record.labels, *record.labels.values())),
        (("flags or anomalies",), (*record.flags, *rating.flags, *record.anomalies, rating.unpriced_reason)),
        (("executions",), tuple([text for run in record.executions for text in (run.part_id, run.language)])),
        (("price_id",), tuple([charge.price_id for charge in rating.charges])),
    )
    for names, texts in groups:
        for place, text in enumerate(texts):
            _text(names[place % len(names)], text)


def _text(name: str, value: str | None) -> None:
    if value is not None and ("\0" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        raise InvalidPosting(f"{name} contains a NUL or half a surrogate pair")


def _whole(names: Sequence[str], values: Iterable[int | None], least: int = 0) -> None:
    for place, value in enumerate(values):
        if value is not None and (type(value) is not int or not least <= value <= _MOST):
            raise InvalidPosting(f"{names[place % len(names)]} is not a whole number in {least}..{_MOST}")


def _id(name: str, value: str) -> None:
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise InvalidPosting(f"{name} is not a UUID in its usual form")
