"""Recorded calls as scripts and people read them, one by one.

Owns: the JSON, CSV and table form of a record (contract.md, Calls and records). Not here: selections and sums.
Invariant: records pass through as a stream; the memory used does not grow with their number.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from gembill.ledger import LedgerRecord
from gembill.model import ApiError
from gembill.money import usd
from gembill.period import Period, local
from gembill_reports.layout.sheet import DEMO, OUTPUT, Sheet, count, money
from gembill_reports.layout.tables import MISSING, Column, Table, flat
from gembill_reports.views.period_texts import second, words
from gembill_reports.views.report import cost_dict
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
NEWEST = 100  # what a table shows unless a limit is given
_KEPT_IN_MEMORY = 8 << 20
_ID_SHOWN = 13  # of a UUIDv7: its millisecond
STATUS_STYLES = {"partial": "yellow", "unknown": "magenta", "error": "red"}
_COLUMNS = (
    Column("ID", text=True, whole=True),
    Column("When", 80, text=True),
    Column("Model", 70, text=True),
    Column("Status", 60, text=True, styles=STATUS_STYLES),
    Column("Input", 40),
    Column("Intermed.", 65),
    Column("Output*", 50),
    Column("Execs", 55),
    Column("Failed", 54),
    Column("Cost"),
    Column("Key", 20, text=True),
    Column("Labels", 30, text=True),
)


@dataclass(frozen=True, slots=True)
class RecordsView(View):
    """The newest calls of a period; all of them where no limit is given, but for a table, which then shows `NEWEST`."""

    read: Callable[[int | None], Iterable[LedgerRecord]]  # the newest records, at most N of them
    period: Period
    limit: int | None = None
    demo: bool = False  # made-up calls are among them

    def json(self) -> Iterator[str]:
        """The document's text, as it is read."""
        return json_chunks(self.read(None if self.limit is None else self.limit + 1), self.limit)

    def csv(self) -> Csv:
        """A row per call."""
        return csv_rows(self.read(self.limit))

    def sheets(self) -> Sequence[Sheet]:
        """One table."""
        limit = NEWEST if self.limit is None else self.limit
        return [sheet(self.read(limit + 1), self.period, limit, demo=self.demo)]


def record_dict(stored: LedgerRecord) -> dict[str, Any]:
    """The record as JSON carries it, keys in the order of the contract."""
    record, tokens = stored.record, stored.record.tokens
    return {
        "id": record.id,
        "occurred_at": utc(record.occurred_us),
        "api": record.api.value,
        "operation": record.operation,
        "streamed": record.streamed,
        "model": record.model,
        "requested_model": record.requested_model,
        "agent": record.agent,
        "service_tier": record.service_tier,
        "key": record.key,
        "location": record.location,
        "project": record.project,
        "status": record.status.value,
        "http_status": record.http_status,
        "error": _error(record.error),
        "finish_reason": record.finish_reason,
        "response_id": record.response_id,
        "conversation_id": stored.conversation_id,
        "tokens": {
            "input": tokens.input,
            "intermediate": tokens.intermediate,
            "output": tokens.output,
            "total": tokens.total,
            "cached": tokens.cached,
            "thinking": tokens.thinking,
        },
        "code_execution": _code_execution(stored),
        "cost_usd": usd(stored.cost_pico),
        "cost": cost_dict(stored.cost_parts),
        "priced": stored.priced,
        "unpriced_reason": stored.unpriced_reason,
        "flags": list(record.flags),
        "anomalies": list(record.anomalies),
        "labels": dict(record.labels),
    }


def json_chunks(records: Iterable[LedgerRecord], limit: int | None = None) -> Iterator[str]:
    """`{"schema_version", "truncated", "records"}` piece by piece, a record a line.

    With a limit, hand over one record more than that if there is one: whether it is there is known only at the end but
    written at the start, so that the text waits in a file (in memory while it is small).
    """
    if limit is None:
        yield from _json_document(_json_lines(records), truncated=False)
        return
    with SpooledTemporaryFile(_KEPT_IN_MEMORY, "w+", encoding="ascii") as waiting:
        records = iter(records)
        for line in _json_lines(islice(records, limit)):
            waiting.write(line)  # not `writelines`, which looks at the size only when all is in memory
        truncated = next(records, None) is not None
        waiting.seek(0)
        yield from _json_document(waiting, truncated=truncated)


def csv_rows(records: Iterable[LedgerRecord]) -> Csv:
    """A row per record: inner objects joined by `_`, lists by blanks, labels as JSON."""
    return Csv(CSV_HEADER, (csv_row(record_dict(stored)) for stored in records))


def sheet(records: Iterable[LedgerRecord], period: Period, limit: int = NEWEST, *, demo: bool = False) -> Sheet:
    """The newest records as a table with the zone's clock; hand over one more than the limit if there is one."""
    records = list(islice(records, limit + 1))
    shown = records[:limit]
    length = _id_length([stored.record.id for stored in shown])
    rows = tuple(_row(stored, period.zone, length) for stored in shown)
    mark = DEMO if demo else ""
    heading = f"{mark}Recorded calls · {words(period)} · {period.timezone} · US dollars, estimate at list price"
    return Sheet(heading, Table(_COLUMNS, rows), tuple(_notes(len(records), limit)), (OUTPUT,))


def utc(at_us: int) -> str:
    """The instant in UTC with microseconds and `Z`."""
    return local(at_us, ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json_lines(records: Iterable[LedgerRecord]) -> Iterator[str]:
    return (json.dumps(record_dict(stored)) + "\n" for stored in records)


def _json_document(lines: Iterable[str], *, truncated: bool) -> Iterator[str]:
    """The document around its records. Lines hold no line break within them: JSON writes those out."""
    yield f'{{"schema_version": {SCHEMA_VERSION}, "truncated": {json.dumps(truncated)}, "records": ['
    separator = "\n"
    for line in lines:
        yield separator + line.removesuffix("\n")
        separator = ",\n"
    yield "\n]}\n"


CSV_HEADER = (
    *("id", "occurred_at", "api", "operation", "streamed", "model", "requested_model", "agent", "service_tier", "key"),
    *("location", "project"),
    *("status", "http_status", "error_code", "error_status", "error_class", "finish_reason", "response_id"),
    *("conversation_id", "tokens_input", "tokens_intermediate", "tokens_output", "tokens_total", "tokens_cached"),
    *("tokens_thinking", "code_execution_declared", "code_execution_used", "code_execution_executions"),
    *("code_execution_failed", "code_execution_outcomes", "cost_usd", "cost_input", "cost_intermediate", "cost_output"),
    *("cost_grounding", "priced", "unpriced_reason", "flags", "anomalies", "labels"),
)


def csv_row(record: dict[str, Any]) -> dict[str, Any]:
    """A record of `record_dict` as a row of CSV."""
    error = record["error"] or {"code": None, "status": None, "class": None}
    labels = json.dumps(record["labels"], ensure_ascii=False, sort_keys=True)
    row = flat({**record, "error": error, "labels": labels})
    return {key: " ".join(value) if isinstance(value, list) else value for key, value in row.items()}


def _code_execution(stored: LedgerRecord) -> dict[str, Any]:
    record = stored.record
    return {
        "declared": record.declared,
        "used": bool(record.executions),
        "executions": len(record.executions),
        "failed": record.failed,
        "outcomes": [execution.outcome.value for execution in record.executions],
    }


def _error(error: ApiError | None) -> dict[str, Any] | None:
    return None if error is None else {"code": error.code, "status": error.status, "class": error.kind}


def _row(stored: LedgerRecord, zone: ZoneInfo, id_length: int) -> tuple[str, ...]:
    record, tokens = stored.record, stored.record.tokens
    return (
        record.id[:id_length],
        second(record.occurred_us, zone),
        record.model or MISSING,
        record.status.value,
        count(tokens.input),
        count(tokens.intermediate),
        count(tokens.output),
        count(len(record.executions)),
        count(record.failed),
        "unpriced" if stored.unpriced_reason else money(stored.cost_pico),
        record.key or "",
        " ".join(f"{name}={value}" for name, value in sorted(record.labels.items())),
    )


def _id_length(ids: Sequence[str]) -> int:
    """How many characters it takes to tell the ids apart, and at least the millisecond of a UUIDv7."""
    longest = max(map(len, ids), default=0)
    return next((n for n in range(_ID_SHOWN, longest) if len({one[:n] for one in ids}) == len(ids)), longest)


def _notes(number: int, limit: int) -> Iterator[str]:
    if number > limit:
        yield f"The newest {limit:,} calls; there are more: --limit N shows more of them, --format json all."
    elif not number:
        yield "No call was recorded in this period."
    yield "`gembill receipt ID` explains a call. Cost is an estimate at list prices."
