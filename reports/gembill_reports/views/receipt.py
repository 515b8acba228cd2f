"""A receipt as people and scripts read it.

Owns: its sheets (the call, its charges, its executions, its corrections), its JSON and its CSV. Not here: any number.
Invariant: every amount is written with all its digits, so that the lines visibly add up to the total.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gembill.model import Execution, Meter, Record, Status
from gembill.money import usd, usd_per_million, usd_per_thousand
from gembill.period import local
from gembill.rules import policy_ids
from gembill_reports.analysis.receipt import Correction, Estimate, Receipt, ReceiptLine
from gembill_reports.layout.sheet import DEMO, Sheet, count, exact
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views import flag_texts, rounds
from gembill_reports.views.records import record_dict, utc
from gembill_reports.views.unit_prices import quoted
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_WITH_FEES = (Meter.GROUNDING, Meter.MAPS)
_CSV = ("meter", "modality", "quantity", "unit", "unit_price_usd", "usd_per_million", "cost_usd", "price_id")
_LINE_COLUMNS = (
    Column("Meter", text=True),
    Column("Quantity"),
    Column("USD per 1M", 80),
    Column("Cost"),
    Column("Price row", 50, text=True),
)


@dataclass(frozen=True, slots=True)
class ReceiptView(View):
    """The receipt of one call; times on the zone's clock."""

    receipt: Receipt
    zone: ZoneInfo
    demo: bool = False  # the ledger holds made-up calls

    def json(self) -> dict[str, Any]:
        """The call, its lines, and what is known about them."""
        return receipt_dict(self.receipt)

    def csv(self) -> Csv:
        """A row per line of the receipt, without executions and corrections."""
        lines = map(_line_dict, self.receipt.lines)
        return Csv(_CSV, ({**line, "price_id": (line["price"] or {}).get("id")} for line in lines))

    def sheets(self) -> Sequence[Sheet]:
        """The call, its charges, and what else there is of executions, rounds and corrections."""
        return sheets(self.receipt, self.zone, demo=self.demo)


def receipt_dict(receipt: Receipt) -> dict[str, Any]:
    """The receipt as JSON carries it."""
    record = receipt.stored.record
    return {
        "schema_version": SCHEMA_VERSION,
        "record": record_dict(receipt.stored),
        "revision": receipt.stored.revision,
        "lines": [_line_dict(line) for line in receipt.lines],
        "total": {
            "tokens": receipt.tokens,
            "tokens_reported": record.tokens.total,
            "cost_usd": usd(receipt.cost_pico),
            "list_cost_usd": usd(receipt.list_cost_pico),
        },
        "executions": [_execution_dict(number, one) for number, one in enumerate(record.executions, 1)],
        "rounds": rounds.rounds_dicts(receipt.rounds),
        "explanation": rounds.explanation(receipt),
        "documented_reading_estimate": _estimate_dict(receipt.estimate),
        "flags": [{"name": name, "meaning": flag_texts.flag(name)} for name in record.flags],
        "anomalies": [{"name": name, "meaning": flag_texts.anomaly(name)} for name in record.anomalies],
        "corrections": [_correction_dict(one) for one in receipt.corrections],
    }


def sheets(receipt: Receipt, zone: ZoneInfo, *, demo: bool = False) -> list[Sheet]:
    """The receipt, sheet by sheet; times on the zone's clock. `demo` marks a call of a ledger with made-up ones."""
    shown = [_call(receipt.stored.record, zone, DEMO if demo else ""), _charges(receipt)]
    if receipt.stored.record.executions:
        shown.append(_executions(receipt))
    if receipt.rounds:
        shown.append(rounds.sheet(receipt.rounds))
    if receipt.corrections:
        shown.append(_corrections(receipt))
    return shown


def _call(record: Record, zone: ZoneInfo, mark: str) -> Sheet:
    facts = [
        ("When", f"{local(record.occurred_us, zone).isoformat()} {zone.key} ({utc(record.occurred_us)})"),
        ("Model", _model(record)),
        ("Kind", f"{record.api.value} {record.operation}{', streamed' if record.streamed else ''}"),
        ("Tier", record.service_tier),
        *_place(record),
        ("Key", record.key or MISSING),
        ("Labels", ", ".join(f"{name}={value}" for name, value in sorted(record.labels.items())) or "none"),
        ("Status", _status(record)),
        ("Code execution", _code_execution(record)),
    ]
    notes = [f"Flag {name}: {flag_texts.flag(name)}" for name in record.flags]
    notes += [f"Anomaly {name}: {flag_texts.anomaly(name)}" for name in record.anomalies]
    columns = (Column("Call", text=True), Column("", text=True))
    return Sheet(f"{mark}Receipt {record.id}", Table(columns, tuple(facts)), tuple(notes))


def _model(record: Record) -> str:
    served = record.model or MISSING
    asked = record.requested_model or record.agent
    return served if asked in (None, served) else f"{served} (asked for {asked})"


def _status(record: Record) -> str:
    words = [record.status.value]
    if record.http_status is not None:
        words.append(f"HTTP {record.http_status}")
    if record.finish_reason:
        words.append(f"finish reason {record.finish_reason}")
    if record.error is not None:
        error = record.error
        parts = dict.fromkeys(str(part) for part in (error.code, error.status, error.kind) if part is not None)
        words.append(f"error {' '.join(parts)}")
    return ", ".join(words)


def _code_execution(record: Record) -> str:
    declared = {None: "not known whether allowed", True: "allowed", False: "not allowed"}[record.declared]
    runs = len(record.executions)
    if not runs:
        return f"{declared}, {'never ran' if record.status is Status.COMPLETE else 'no run was seen'}"
    return f"{declared}, {runs} {'run' if runs == 1 else 'runs'}, {record.failed} failed"


def _place(record: Record) -> Iterator[tuple[str, str]]:
    """Where a Vertex call ran; other calls say nothing of it."""
    if record.location is not None:
        yield "Location", record.location
    if record.project is not None:
        yield "Project", record.project


def _charges(receipt: Receipt) -> Sheet:
    numbers = _numbers(receipt)
    rows = tuple((*_line(line), _reference(line, numbers)) for line in receipt.lines)
    total = ("Total", count(receipt.tokens), "", exact(receipt.cost_pico), "")
    return Sheet("What it used", Table(_LINE_COLUMNS, rows, total), tuple(_charge_notes(receipt)))


def _line(line: ReceiptLine) -> tuple[str, str, str, str]:
    name = "estimated results" if line.is_estimate else line.meter.value.replace("_", " ")
    kind = f" ({line.modality.value})" if line.modality is not None and line.is_tokens else ""
    if line.unit_pico is None:
        unit = "unknown"
    elif line.meter in _WITH_FEES:
        unit = f"{usd_per_thousand(line.unit_pico)} per 1,000"
    else:
        unit = quoted(line.meter, line.unit_pico)
    quantity = count(line.quantity) + ("" if line.meter.unit == "tokens" else f" {line.meter.unit}")
    return f"{name}{kind}", quantity, unit, exact(line.cost_pico)


def _charge_notes(receipt: Receipt) -> Iterator[str]:
    stored = receipt.stored
    yield _token_check(receipt)
    yield _cost_check(receipt)
    if receipt.list_cost_pico is not None:
        yield f"At list price the call would cost {exact(receipt.list_cost_pico)}."
    yield rounds.explanation(receipt)
    yield from _estimate(receipt)
    yield from _sources(receipt.lines, _numbers(receipt))
    if any(line.meter in _WITH_FEES and line.cost_pico for line in receipt.lines):
        yield "Search and Maps are at list price; the account's free allowance is not visible in an answer."
    if stored.cost_pico is not None:
        yield "Cost is an estimate at list prices in US dollars, not Google's bill."


def _reference(line: ReceiptLine, numbers: Mapping[str, int]) -> str:
    return "none" if line.price_id is None else f"[{numbers[line.price_id]}]"


def _numbers(receipt: Receipt) -> dict[str, int]:
    """The price rows of a receipt, numbered from 1: those of its lines, then those that only corrections name."""
    lines = (*receipt.lines, *_corrected(receipt))
    ids = dict.fromkeys(line.price_id for line in lines if line.price_id is not None)
    return {price_id: number for number, price_id in enumerate(ids, 1)}


def _corrected(receipt: Receipt) -> list[ReceiptLine]:
    return [line for one in receipt.corrections for line in (*one.old, *one.new)]


def _sources(lines: Sequence[ReceiptLine], numbers: Mapping[str, int]) -> Iterator[str]:
    """Which price row each number is, and where the rows come from; each source is named once."""
    by_source: dict[str, list[str]] = {}
    for line in {line.price_id: line for line in lines if line.price_id}.values():
        by_source.setdefault(_source(line), []).append(f"[{numbers[line.price_id or '']}] {line.price_id}")
    for source, rows in by_source.items():
        yield from rows
        yield f"    {source}."


def _source(line: ReceiptLine) -> str:
    if line.price is not None:
        return f"from {line.price.source}; checked on {line.price.checked_on}"
    return "decided by a policy, see the flags" if policy_ids.is_policy(line.price_id) else "not in the price list"


def _token_check(receipt: Receipt) -> str:
    tokens, reported = receipt.tokens, receipt.stored.record.tokens.total
    if tokens is None or reported is None:
        return "The API reported no total of tokens for this call."
    if tokens == reported:
        return f"The lines add up to the reported total of {reported:,} tokens."
    return f"The lines add up to {tokens:,} tokens, but the API reported a total of {reported:,}."


def _cost_check(receipt: Receipt) -> str:
    stored = receipt.stored
    if stored.unpriced_reason:
        return f"There is no cost: {stored.unpriced_reason}."
    if stored.cost_pico is None:
        return "There is no cost, because what the call used is not known."
    if stored.record.status is Status.ERROR and not receipt.lines:
        return "The call ended in an error, so it costs nothing."
    if receipt.cost_pico != stored.cost_pico:
        return f"The lines add up to {exact(receipt.cost_pico)}, but the ledger's cost is {exact(stored.cost_pico)}."
    return f"The costs of the lines add up to {exact(stored.cost_pico)}."


def _estimate(receipt: Receipt) -> Iterator[str]:
    estimate = receipt.estimate
    if estimate is not None:
        cost = "" if estimate.cost_pico is None else f", which would add {exact(estimate.cost_pico)}"
        yield (
            "Estimate, not in the cost: read literally, Google's documentation also bills execution results as output "
            f"tokens, but the API does not count them there. They are about {estimate.result_tokens:,} tokens{cost}."
        )


_OUTCOME_STYLES = {"ok": "green", "failed": "red", "deadline exceeded": "red", "unknown": "magenta"}


def _executions(receipt: Receipt) -> Sheet:
    outcome = Column("Outcome", text=True, styles=_OUTCOME_STYLES)
    columns = (Column("Run"), outcome, Column("Code", 50), Column("Result", 60))
    rows = tuple(
        (str(number), one.outcome.value.replace("_", " "), _chars(one.code_chars), _chars(one.result_chars))
        for number, one in enumerate(receipt.stored.record.executions, 1)
    )
    return Sheet("Executions", Table(columns, rows), ("The API reports no tokens for a single run.",))


def _chars(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,} characters"


def _corrections(receipt: Receipt) -> Sheet:
    columns = (Column("Revision"), Column("", text=True), *_LINE_COLUMNS)
    numbers = _numbers(receipt)
    rows = tuple(row for one in receipt.corrections for row in _correction(one, numbers))
    notes = [
        f"Revision {one.revision} changed the cost from {exact(one.old_cost_pico)} to {exact(one.new_cost_pico)}."
        for one in receipt.corrections
    ]
    named = {line.price_id for line in receipt.lines}
    notes += _sources([line for line in _corrected(receipt) if line.price_id not in named], numbers)
    return Sheet("Corrections", Table(columns, rows), tuple(notes))


def _correction(correction: Correction, numbers: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    for word, lines in (("old", correction.old), ("new", correction.new)):
        for line in lines:
            yield str(correction.revision), word, *_line(line), _reference(line, numbers)


def _line_dict(line: ReceiptLine) -> dict[str, Any]:
    return {
        "meter": line.meter.value,
        "modality": line.modality and line.modality.value,
        "quantity": line.quantity,
        "unit": line.meter.unit,
        "unit_price_usd": usd(line.unit_pico),
        "usd_per_million": usd_per_million(line.unit_pico),
        "cost_usd": usd(line.cost_pico),
        "price": _price_dict(line),
    }


def _price_dict(line: ReceiptLine) -> dict[str, Any] | None:
    if line.price_id is None:
        return None
    row = line.price
    return {"id": line.price_id, "source": row and row.source, "checked_on": row and row.checked_on}


def _execution_dict(number: int, execution: Execution) -> dict[str, Any]:
    return {
        "number": number,
        "outcome": execution.outcome.value,
        "language": execution.language,
        "part_id": execution.part_id,
        "code_chars": execution.code_chars,
        "result_chars": execution.result_chars,
    }


def _estimate_dict(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "estimate": True,
        "result_tokens": estimate.result_tokens,
        "usd_per_million": usd_per_million(estimate.unit_pico),
        "cost_usd": usd(estimate.cost_pico),
    }


def _correction_dict(correction: Correction) -> dict[str, Any]:
    return {
        "revision": correction.revision,
        "old": [_line_dict(line) for line in correction.old],
        "new": [_line_dict(line) for line in correction.new],
        "old_cost_usd": usd(correction.old_cost_pico),
        "new_cost_usd": usd(correction.new_cost_pico),
    }
