"""A revision of a record as rows, and back.

Owns: the order and the encoding of the columns of `entry` and `template`. Not here: statements, and how the view
`record` puts the two together. Invariant: a revision read back is what went in, but for readings, which are not kept;
a template's number follows from what it says, so that whoever meets it again meets the same row.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from gembill.ledger.entries import LedgerRecord, Line, Reason
from gembill.ledger.measures import TOKEN_FIELDS
from gembill.model import COST_PARTS, Api, ApiError, CostParts, Execution, Outcome, Record, Status, Tokens
from gembill.period import HOUR_US

if TYPE_CHECKING:
    from sqlalchemy import Row

_RUN = ("outcome", "part_id", "language", "code_chars", "result_chars", "result_digits")
_run_of = attrgetter(*_RUN)
_runs = msgspec.json.Decoder(list[tuple[Outcome, str | None, str | None, int | None, int | None, int]])
_fault = msgspec.json.Decoder(ApiError)
_names = msgspec.json.Decoder(tuple[str, ...])
_labels = msgspec.json.Decoder(dict[str, str])
_encode = msgspec.json.Encoder(order="sorted").encode

Words = tuple[str | int | None, ...]
EventKey = tuple[int, Any]
Figures = tuple[int | None, ...]
_TOKENS = len(TOKEN_FIELDS)
_COSTS = _TOKENS + 2


class Charged(NamedTuple):
    """What of an entry's row is worked out beside its record: ids in the driver's form, labels, its figures, quantities
    of lines."""

    id: Any
    labels_hash: bytes
    figures: Figures
    quantities: tuple[int, ...] = ()


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
    return tuple([_run(*run) for run in _runs.decode(text)])


def words(entry: LedgerRecord, reason: Reason) -> Words:
    """What many revisions have alike, in the order of the columns of `template`."""
    record, fault = entry.record, entry.record.error
    return (
        reason.value,
        record.api.value,
        str(record.operation),
        1 if record.streamed else 0,
        record.model,
        record.requested_model,
        record.agent,
        record.service_tier,
        record.key,
        record.status.value,
        record.http_status,
        None if fault is None else _encode(fault).decode(),
        record.finish_reason,
        None if record.declared is None else int(record.declared),
        _encode(record.flags).decode() if record.flags else "[]",
        _encode(record.anomalies).decode() if record.anomalies else "[]",
        1 if entry.priced else 0,
        entry.unpriced_reason,
        record.location,
        record.project,
    )


def template_number(words: Words, lines: tuple[Line, ...]) -> int:
    """The number of a template: 64 bits of a hash over all it says. It must never be worked out in another way."""
    digest = hashlib.blake2b(_encode((words, lines)), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def figures(entry: LedgerRecord) -> Figures:
    """What can be added up of a revision: its tokens, its runs and how many failed, its costs, as the columns are."""
    record = entry.record
    return (
        *astuple(record.tokens),
        len(record.executions),
        record.failed,
        entry.cost_pico,
        *astuple(entry.cost_parts),
        entry.failed_execution_cost_pico,
    )


def row(entry: LedgerRecord, template: int, event: EventKey, posted_us: int, charged: Charged) -> tuple[Any, ...]:
    """The values of `entry` in the order of its columns. Ids are in the driver's form."""
    record, counts = entry.record, charged.figures
    return (
        record.source_id,
        charged.id,
        entry.revision,
        template,
        None if event[0] == record.source_id else event[0],
        None if event[1] == charged.id else event[1],
        posted_us,
        record.occurred_us,
        record.ended_us,
        record.response_id,
        record.conversation,
        record.turns,
        *counts[:_TOKENS],
        _runs_text(record.executions) if record.executions else None,
        *counts[_TOKENS:_COSTS],
        charged.labels_hash,
        *counts[_COSTS:],
        f"[{','.join(map(str, charged.quantities))}]" if charged.quantities else None,
    )


def _runs_text(runs: tuple[Execution, ...]) -> str:
    """Runs as JSON arrays of their fields, in the order of `_RUN`."""
    return _encode([_run_of(run) for run in runs]).decode()


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


def _run(
    outcome: Outcome, part_id: str | None, language: str | None, code: int | None, result: int | None, digits: int
) -> Execution:
    return Execution(
        outcome=outcome,
        part_id=part_id,
        language=language,
        code_chars=code,
        result_chars=result,
        result_digits=digits,
    )
