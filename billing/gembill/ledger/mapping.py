"""A revision of a record as a row, and back.

Owns: the order and the encoding of the columns of `record`. Not here: statements. Invariant: `revision(row(...))` gives
what went in, but for readings, which are not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from gembill.ledger.entries import LedgerRecord, Reason
from gembill.ledger.measures import TOKEN_FIELDS
from gembill.model import COST_PARTS, Api, ApiError, CostParts, Execution, Record, Status, Tokens
from gembill.period import HOUR_US

if TYPE_CHECKING:
    from sqlalchemy import Row

_executions = msgspec.json.Decoder(tuple[Execution, ...])
_fault = msgspec.json.Decoder(ApiError)
_names = msgspec.json.Decoder(tuple[str, ...])
_labels = msgspec.json.Decoder(dict[str, str])
_encode = msgspec.json.Encoder(order="sorted").encode


def hour_of(occurred_us: int) -> int:
    """Whole hours since 1970, rounded down."""
    return occurred_us // HOUR_US


def labels_text(labels: dict[str, str]) -> str:
    """Labels in their one written form."""
    return _encode(labels).decode() if labels else "{}"


@lru_cache(maxsize=4096)
def labels_hash(text: str) -> bytes:
    """16 bytes that stand for a set of labels in the keys of rollups."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def read_labels(text: str) -> dict[str, str]:
    """Labels of their written form."""
    return _labels.decode(text)


def read_executions(text: str) -> tuple[Execution, ...]:
    """The executions of a record as its column has them."""
    return _executions.decode(text)


def row(
    entry: LedgerRecord, reason: Reason, event: tuple[int, str], posted_us: int, to_id: Callable[[str], object]
) -> tuple[Any, ...]:
    """The values of `record` in the order of its columns; `to_id` gives the driver's form of a UUID."""
    record = entry.record
    return (
        record.source_id,
        to_id(record.id),
        entry.revision,
        reason.value,
        event[0],
        to_id(event[1]),
        posted_us,
        *_call(record),
        *_outcome(record),
        *_cost(entry),
    )


def _call(record: Record) -> tuple[Any, ...]:
    fault = record.error
    return (
        record.occurred_us,
        hour_of(record.occurred_us),
        record.ended_us,
        record.api.value,
        str(record.operation),
        int(record.streamed),
        record.model,
        record.requested_model,
        record.agent,
        record.service_tier,
        record.key,
        record.status.value,
        record.http_status,
        None if fault is None else _encode(fault).decode(),
        record.finish_reason,
        record.response_id,
        record.conversation,
        record.turns,
    )


def _outcome(record: Record) -> tuple[Any, ...]:
    tokens, runs, text = record.tokens, record.executions, labels_text(record.labels)
    return (
        tokens.input,
        tokens.intermediate,
        tokens.output,
        tokens.total,
        tokens.cached,
        tokens.thinking,
        None if record.declared is None else int(record.declared),
        _encode(runs).decode() if runs else "[]",
        len(runs),
        record.failed,
        int(bool(runs)),
        text,
        labels_hash(text),
        _encode(record.flags).decode() if record.flags else "[]",
        _encode(record.anomalies).decode() if record.anomalies else "[]",
    )


def _cost(entry: LedgerRecord) -> tuple[Any, ...]:
    return (
        entry.cost_pico,
        *entry.cost_parts.amounts,
        entry.failed_execution_cost_pico,
        int(entry.priced),
        entry.unpriced_reason,
        entry.record.location,
        entry.record.project,
    )


def revision(row: Row[Any]) -> LedgerRecord:
    """A row of `record`, all its columns selected."""
    return LedgerRecord(
        record=_record(row),
        cost_pico=row.cost_pico,
        cost_parts=CostParts(**{part: getattr(row, f"cost_{part}_pico") for part in COST_PARTS}),
        priced=bool(row.priced),
        unpriced_reason=row.unpriced_reason,
        revision=row.revision,
    )


def _record(row: Row[Any]) -> Record:
    return Record(
        source_id=row.source_id,
        id=row.id,
        occurred_us=row.occurred_us,
        ended_us=row.ended_us,
        api=Api(row.api),
        operation=row.operation,
        project=row.project,
        location=row.location,
        streamed=bool(row.streamed),
        model=row.model,
        requested_model=row.requested_model,
        agent=row.agent,
        service_tier=row.service_tier,
        key=row.key,
        status=Status(row.status),
        http_status=row.http_status,
        error=None if row.error is None else _fault.decode(row.error),
        finish_reason=row.finish_reason,
        response_id=row.response_id,
        conversation=row.conversation,
        turns=row.turns,
        tokens=Tokens(**{field: getattr(row, f"tokens_{field}") for field in TOKEN_FIELDS}),
        declared=None if row.declared is None else bool(row.declared),
        executions=read_executions(row.executions),
        readings=None,
        labels=read_labels(row.labels),
        flags=_names.decode(row.flags),
        anomalies=_names.decode(row.anomalies),
    )
