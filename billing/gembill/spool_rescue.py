"""What is decided about spools with the ledger at hand: a new number for a clone, and what damage left.

Owns: which entries of a clone are its own, what of damaged segments gets to the ledger, and what it lacks of a spool.
Not here: reading segments (`gembill.spool`), and posting all that is kept (`spool_replay`). Invariant: no event gets a
second number while it is in the ledger under its first; doing it twice, or again after a crash, changes nothing more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid5

from msgspec.structs import replace

from gembill.errors import SpoolError
from gembill.ledger import InvalidPosting, Ledger, RatedEvent, known_events, read_places
from gembill.posting import append, joined, posting, write_halving
from gembill.price_catalog import PricingTerms
from gembill.spool import KeptSpool, Salvage, SegmentEntry, Spool, SpoolDirectory, SpoolOptions, salvage

_BATCH = 1_000
_ANSWER = "salvaged"  # names the id of an answer by that of its call, so that a second salvage adds nothing
_NOTE = "renewed-as"  # the file that names the new spool, for a second try after a crash


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of a clone: the events that were its own and the spool they are in now, None where it had none; and
    where the rest of it lies, which nobody reads any more."""

    moved: int
    source_id: int | None
    put_away: Path


def renew(ledger: Ledger, path: Path) -> Renewal:
    """Give a clone's own events a spool of their own, and put the clone away.

    Its own are those from the first place on at which the ledger has another event of the original, and its open calls,
    unless the ledger has them. SpoolError where a process has the spool, or a disk fails.
    """
    directory = _locked(path)
    try:
        kept = KeptSpool.open(path)
        try:
            own = [*_own(ledger, kept), *_open_calls(ledger, kept, is_copy=directory.is_copy)]
        finally:
            kept.close()
        source_id = _moved(directory, own) if own else None
        put_away = path.with_name(f"{path.name}.renewed")
        path.rename(put_away)
    except OSError as error:
        raise SpoolError(f"the spool {path} cannot be renewed: {error.strerror}") from error
    finally:
        directory.release()
    return Renewal(len(own), source_id, put_away)


def adopt(path: Path) -> None:
    """Let this machine write a spool that was copied or restored, or left alone. SpoolError where a process has it."""
    directory = _locked(path)
    try:
        directory.settle()
    except OSError as error:
        raise SpoolError(f"the spool {path} cannot be adopted: {error.strerror}") from error
    finally:
        directory.release()


def _locked(path: Path) -> SpoolDirectory:
    try:
        directory = SpoolDirectory.lock(path)
    except OSError as error:
        raise SpoolError(f"the spool {path} cannot be opened: {error.strerror}") from error
    if directory is None:
        raise SpoolError(f"a process has the spool {path}; stop it first")
    return directory


def _own(ledger: Ledger, kept: KeptSpool) -> list[tuple[str, bytes]]:
    """The events of a clone from where it and its original part, unless the ledger has them."""
    entries, parted = kept.entries(), False
    own: list[tuple[str, bytes]] = []
    while batch := list(islice(entries, _BATCH)):
        if not parted:
            there = read_places(ledger, kept.source_id, [entry.seq for entry in batch])
            first = next((at for at, one in enumerate(batch) if there.get(one.seq, one.event_id) != one.event_id), None)
            batch = batch[first:] if first is not None else []
            parted = first is not None
        own += [(entry.event_id, entry.body) for entry in batch]
    known = known_events(ledger, [event_id for event_id, _ in own])
    return [event for event in own if event[0] not in known]


def _open_calls(ledger: Ledger, kept: KeptSpool, *, is_copy: bool) -> list[tuple[str, bytes]]:
    """What the clone began itself and never ended; of a copy that was never written there is nothing of its own."""
    calls = [] if is_copy else kept.open_calls()
    known = known_events(ledger, [event_id for event_id, _ in calls])
    return [call for call in calls if call[0] not in known]


def _moved(directory: SpoolDirectory, own: Sequence[tuple[str, bytes]]) -> int:
    """Write events to the spool that takes them, those that an earlier try did not; its number. Raises OSError."""
    note = directory.path / _NOTE
    earlier = directory.path.with_name(note.read_text().strip()) if note.exists() else None
    new = _locked(earlier) if earlier is not None and earlier.is_dir() else SpoolDirectory.make(directory.path.parent)
    note.write_text(new.path.name)
    spool = Spool(new, SpoolOptions())
    written = {entry.event_id for entry in _all(spool)}
    missing = [event for event in own if event[0] not in written]
    last = spool.last + len(missing)
    for event_id, body in missing:
        spool.append_soon(event_id, body)
    spool.close(60.0)
    if spool.last < last:
        raise SpoolError(f"the disk did not take all events of {directory.path}; run it again")
    return new.source_id


def _all(spool: Spool) -> Iterator[SegmentEntry]:
    after = 0
    while batch := spool.read(after, _BATCH):
        yield from batch
        after = batch[-1].seq


@dataclass(slots=True)
class Salvaged:
    """What became of one damaged segment: entries that could be read and how many of them the ledger lacked, calls that
    are recorded as unknown because their end is lost, and the numbers that nothing is known of."""

    path: Path
    read: int = 0
    added: int = 0
    unknown: int = 0
    lost: list[int] = field(default_factory=list)
    bytes_lost: int = 0
    error: str | None = None


def salvage_spool(ledger: Ledger, path: Path, source_id: int, terms: PricingTerms) -> list[Salvaged]:
    """Post what can still be read of the damaged segments of a spool. SpoolError where the disk fails."""
    try:
        pieces = salvage(path, source_id)
    except OSError as error:
        raise SpoolError(f"the spool {path} cannot be read: {error.strerror}") from error
    return [_posted(ledger, source_id, piece, terms) for piece in pieces]


def is_salvaged(ledger: Ledger, path: Path, source_id: int) -> bool:
    """Whether the ledger has all that `salvage_spool` could give it, so that another run adds nothing.

    False where the spool cannot be read. LedgerError where the ledger cannot be asked.
    """
    try:
        pieces = salvage(path, source_id)
    except OSError:
        return False
    places = {entry.seq for piece in pieces for entry in piece.entries}
    calls = {event_id for piece in pieces for event_id, _ in piece.orphans}
    filled = read_places(ledger, source_id, sorted(places)).keys() >= places
    return filled and known_events(ledger, sorted(calls)) >= calls


def count_displaced(ledger: Ledger, path: Path, source_id: int) -> tuple[int, int]:
    """How many kept completions are not at their places in the ledger: those that it has elsewhere, those it lacks.

    A spool that cannot be read counts as one that it lacks. LedgerError where the ledger cannot be asked.
    """
    elsewhere = lacking = 0
    try:
        kept = KeptSpool.open(path)
    except SpoolError:
        return 0, 1
    try:
        entries = kept.entries()
        while batch := list(islice(entries, _BATCH)):
            there = read_places(ledger, source_id, [entry.seq for entry in batch])
            ids = [entry.event_id for entry in batch if entry.seq not in there]
            known = len(known_events(ledger, ids))
            elsewhere, lacking = elsewhere + known, lacking + len(ids) - known
    except SpoolError:
        return 0, 1
    finally:
        kept.close()
    return elsewhere, lacking


def _posted(ledger: Ledger, source_id: int, piece: Salvage, terms: PricingTerms) -> Salvaged:
    result = Salvaged(piece.path, len(piece.entries), bytes_lost=piece.bytes_lost, error=piece.error)
    result.added = _append(ledger, source_id, piece.entries, terms)
    there = read_places(ledger, source_id, piece.missing)
    result.lost = [seq for seq in piece.missing if seq not in there]
    known = known_events(ledger, [event_id for event_id, _ in piece.orphans])
    orphans = [one for one in piece.orphans if one[0] not in known]
    if len(orphans) == len(result.lost):  # each lost place is that of one of these calls
        entries = [SegmentEntry(seq, *call) for seq, call in zip(result.lost, orphans, strict=True)]
        result.unknown, result.lost = _append(ledger, source_id, entries, terms), []
    else:
        result.unknown = _append(ledger, source_id, [SegmentEntry(0, *call) for call in orphans], terms)
    return result


def _append(ledger: Ledger, source_id: int, entries: Sequence[SegmentEntry], terms: PricingTerms) -> int:
    """Post entries, those with the number 0 without a place; how many the ledger lacked."""
    added = 0
    for start in range(0, len(entries), _BATCH):
        some = [one for entry in entries[start : start + _BATCH] if (one := _made(entry, source_id, terms))]
        some += _fuller(ledger, source_id, some)
        write = partial(_write, ledger, source_id, terms)
        added += write_halving(joined(ledger, some), write, partial(_bury, ledger, source_id))
    return added


def _fuller(ledger: Ledger, source_id: int, events: Sequence[RatedEvent]) -> list[RatedEvent]:
    """Those of the events once more, under an id of its own and without a place, whose call the ledger has at another
    place: the start after the damage closed it as unknown, and here is its answer, which completes that record."""
    known = known_events(ledger, [one.event_id for one in events])
    there = read_places(ledger, source_id, [one.seq for one in events if one.seq is not None])
    closed = [one for one in events if one.event_id in known and one.seq is not None and one.seq not in there]
    return [replace(one, seq=None, event_id=str(uuid5(UUID(one.event_id), _ANSWER))) for one in closed]


def _write(ledger: Ledger, source_id: int, terms: PricingTerms, events: Sequence[RatedEvent]) -> int:
    return append(ledger, source_id, events, terms.rate)


def _made(entry: SegmentEntry, source_id: int, terms: PricingTerms) -> RatedEvent | None:
    try:
        made = posting(entry, source_id, terms)
    except Exception:  # noqa: BLE001 - posting made it a dead letter, or will
        return None
    return made if entry.seq else replace(made, seq=None)


def _bury(ledger: Ledger, source_id: int, event: RatedEvent, error: InvalidPosting) -> None:
    ledger.add_dead_letter(source_id, event.seq, event.event_id, event.body, str(error))
