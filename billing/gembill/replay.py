"""Rating again what is recorded: by the prices now in force (`rerate`), or from the raw events (`repost`, `revive`).

Owns: what a record is worked out from again, and what counts as a change. Not here: prices, metering and SQL.
Invariant: nothing is overwritten: a change is a correcting revision, so the old charges stay visible with their price
rows; doing it again changes nothing more; a record that others changed meanwhile is left to them.

Readings are not kept in the ledger. They come from the raw event each time, so re-rating needs the events.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from gembill.errors import LedgerError
from gembill.ledger import (
    NATURAL_SOURCES,
    DeadLetter,
    Evidence,
    InvalidPosting,
    Ledger,
    LedgerRecord,
    Line,
    Reason,
    Selection,
    billed_charges,
    ledger_record,
    line_of,
    net_lines,
    read_dead_letters,
    read_evidence,
)
from gembill.model import Operation, Rating, Record
from gembill.posting import append, joined, posting, read_again, read_event, write_halving
from gembill.price_catalog import PricingTerms
from gembill.rules.merging import completed
from gembill.rules.metering import meter
from gembill.spool import SegmentEntry

OnBatch = Callable[[int, int], None]  # called after each batch: records read, records changed


@dataclass(slots=True)
class ReplayCounts:
    """What changed for one model. Costs are those of the changed records; one without a cost counts as 0."""

    records: int = 0
    changed: int = 0
    priced: int = 0  # had no price before
    unpriced: int = 0  # have none any more
    old_pico: int = 0
    new_pico: int = 0

    @property
    def difference_pico(self) -> int:
        """More (positive) or less than was charged."""
        return self.new_pico - self.old_pico


@dataclass(slots=True)
class ReplayResult:
    """What was done, or with `dry_run` would be: tallies by model, and what could not be done, by reason."""

    by_model: dict[str | None, ReplayCounts] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    revived: int = 0  # dead letters that became records

    @property
    def total(self) -> ReplayCounts:
        """All models together."""
        total = ReplayCounts()
        for one in self.by_model.values():
            for name in ReplayCounts.__slots__:
                setattr(total, name, getattr(total, name) + getattr(one, name))
        return total

    def skip(self, reason: str, count: int = 1) -> None:
        """Note what could not be done."""
        if count:
            self.skipped[reason] = self.skipped.get(reason, 0) + count


@dataclass(frozen=True, slots=True)
class _Correction:
    old: LedgerRecord
    record: Record
    rating: Rating


UNREADABLE = "their raw event cannot be read"
READ_OTHERWISE = "this version reads their raw event differently: run `gembill repost`"
OVERTAKEN = "they were changed by others meanwhile: run it again"
UNFIT = "what they would become cannot be kept"
STILL_DEAD = "they are still dead letters"


def rerate(
    ledger: Ledger, selection: Selection, terms: PricingTerms, on_batch: OnBatch, *, dry_run: bool = False
) -> ReplayResult:
    """Rate the records selected again. Their tokens stay; their charges become those of the terms given.

    The same figures change nothing, even where another row has them now.
    """
    return _replay(ledger, selection, _Work(terms, Reason.RERATE, _rerated, dry_run), on_batch)


def repost(
    ledger: Ledger, selection: Selection, terms: PricingTerms, on_batch: OnBatch, *, dry_run: bool = False
) -> ReplayResult:
    """Read the raw events of the records selected again and rate them, then try all dead letters again."""
    result = _replay(ledger, selection, _Work(terms, Reason.REPOST, _reposted, dry_run), on_batch)
    _revive_all(ledger, result, terms, dry_run=dry_run)
    return result


def revive(ledger: Ledger, terms: PricingTerms, *, dry_run: bool = False) -> ReplayResult:
    """Try all dead letters again: those that this version can read, and the ledger can keep, become records."""
    result = ReplayResult()
    _revive_all(ledger, result, terms, dry_run=dry_run)
    return result


def _revive_all(ledger: Ledger, result: ReplayResult, terms: PricingTerms, *, dry_run: bool) -> None:
    for batch in read_dead_letters(ledger):
        for letter in batch:
            _revive(ledger, letter, result, terms, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class _Work:
    terms: PricingTerms
    reason: Reason
    read: Callable[[Evidence], Record | None]  # None: it cannot be done without reposting
    dry_run: bool


def _replay(ledger: Ledger, selection: Selection, work: _Work, on_batch: OnBatch) -> ReplayResult:
    result = ReplayResult()
    seen = changed = 0
    for batch in read_evidence(ledger, selection):
        corrections = list(_corrections(batch, work, result))
        done = len(corrections) if work.dry_run else _write(ledger, corrections, work.reason, result)
        seen, changed = seen + len(batch), changed + done
        on_batch(seen, changed)
    return result


def _corrections(batch: Iterable[Evidence], work: _Work, result: ReplayResult) -> Iterator[_Correction]:
    for one in batch:
        tally = result.by_model.setdefault(one.stored.record.model, ReplayCounts())
        tally.records += 1
        try:
            record = work.read(one)
        except Exception:  # noqa: BLE001 - whatever is wrong with one event must not keep back the others; it is counted
            result.skip(UNREADABLE)
            continue
        if record is None:
            result.skip(READ_OTHERWISE)
            continue
        rating = work.terms.rate(record)
        if _differs(one, record, rating):
            _count(tally, one.stored, rating)
            yield _Correction(one.stored, record, rating)


def _rerated(one: Evidence) -> Record | None:
    """The record with its readings again, if they are those of the counts that are stored."""
    return read_again(one.stored.record, one.event_source_id, _body(one))


def _reposted(one: Evidence) -> Record:
    """The record as this version reads it; under a natural key with what earlier answers said of the question."""
    fresh, mine = _read(one), one.stored.record
    fresh = replace(fresh, source_id=mine.source_id, id=mine.id)
    if mine.operation == Operation.INTERACTIONS:
        fresh = replace(fresh, conversation=mine.conversation)  # posting followed the chain to its first
    if mine.source_id in NATURAL_SOURCES and one.stored.revision:
        return completed(mine, fresh)
    return fresh


def _read(one: Evidence) -> Record:
    return meter(read_event(_body(one)), one.event_source_id)


def _body(one: Evidence) -> bytes:
    if one.body is None:
        raise LookupError("the event is not in the ledger")
    return one.body


def _differs(one: Evidence, record: Record, rating: Rating) -> bool:
    """Whether anything a reader could see changes; another price row with the same figure, or other words, do not."""
    old, new = one.stored, ledger_record(record, rating, one.stored.revision)
    if replace(new, unpriced_reason=old.unpriced_reason, conversation_id=old.conversation_id) != old:
        return True
    charged = net_lines((line_of(charge), charge.quantity) for charge in billed_charges(rating))
    return _figures(one.lines) != _figures(charged)


def _figures(lines: dict[Line, int]) -> dict[tuple[str, str, int], int]:
    figures: dict[tuple[str, str, int], int] = {}
    for (meter_, modality, unit, _), quantity in lines.items():
        figures[meter_, modality, unit] = figures.get((meter_, modality, unit), 0) + quantity
    return figures


def _count(tally: ReplayCounts, old: LedgerRecord, rating: Rating) -> None:
    tally.changed += 1
    tally.priced += not old.priced and rating.unpriced_reason is None
    tally.unpriced += old.priced and rating.unpriced_reason is not None
    tally.old_pico += old.cost_pico or 0
    tally.new_pico += rating.cost_pico or 0


def _write(ledger: Ledger, corrections: list[_Correction], reason: Reason, result: ReplayResult) -> int:
    """Write a batch; one that cannot be kept is left out. How many records changed."""

    def write(batch: Sequence[_Correction]) -> int:
        seen = [one.old.revision for one in batch]
        done = ledger.correct([(one.record, one.rating) for one in batch], reason=reason, seen=seen)
        result.skip(OVERTAKEN, len(batch) - done)
        return done

    return write_halving(corrections, write, lambda _correction, _error: result.skip(UNFIT))


def _revive(ledger: Ledger, letter: DeadLetter, result: ReplayResult, terms: PricingTerms, *, dry_run: bool) -> None:
    try:
        entry = SegmentEntry(seq=letter.seq or 0, event_id=letter.id, body=letter.body)
        made = [replace(posting(entry, letter.source_id, terms), seq=letter.seq)]
        result.revived += 1 if dry_run else append(ledger, letter.source_id, joined(ledger, made), terms.rate)
    except InvalidPosting:
        result.skip(STILL_DEAD)
    except LedgerError:
        raise
    except Exception:  # noqa: BLE001 - as in posting: one event must not keep back the others
        result.skip(STILL_DEAD)
