"""What can still be read of damaged segments, further than a reader that takes whole groups alone.

Owns: reading a group whose checksum fails as far as the entries in it pass theirs, and which calls of a segment have
lost their completion. Not here: what becomes of them, and the ledger. Invariant: nothing is given whose own checksum
fails; no file is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gembill.spool import frames, upgrade
from gembill.spool.frames import HEADER_BYTES, Frame, Header, Kind
from gembill.spool.segment import SegmentEntry, SegmentReader
from gembill.spool.segments import SequenceRange, count_missing, listed

_END = 2**63


@dataclass(slots=True)
class Salvage:
    """What a damaged segment has: completions, how many bytes of it no checksum covers any more, the numbers that it
    answers for and that are not among them, and the calls that were begun in it and lost their end."""

    path: Path
    entries: list[SegmentEntry] = field(default_factory=list)
    bytes_lost: int = 0
    missing: list[int] = field(default_factory=list)
    orphans: list[tuple[str, bytes]] = field(default_factory=list)
    error: str | None = None


def salvage(path: Path, source_id: int) -> list[Salvage]:
    """All damaged segments of a spool's directory, in their order, known or not; not one that is being written.

    Raises OSError.
    """
    spans = listed(path)
    results = [_old(file, source_id) for file in sorted(path.glob("*.db-damaged"))]
    for index, span in enumerate(spans):
        known = span.path.suffix == ".seg-damaged"
        if not known and _is_written(span.path):
            continue
        result = _salvaged(span, spans[index + 1] if index + 1 < len(spans) else None)
        if known or result.bytes_lost:
            results.append(result)
    return results


def _is_written(path: Path) -> bool:
    reader = SegmentReader(path)
    try:
        return reader.is_written()
    finally:
        reader.close()


def _salvaged(span: SequenceRange, behind: SequenceRange | None) -> Salvage:
    result = Salvage(span.path)
    opens: dict[int, tuple[str, bytes]] = {}
    last = _END if behind is None else span.last
    by_seq: dict[int, SegmentEntry] = {}
    for frame in _frames(span.path.read_bytes(), result):
        entry = _taken(frame, opens)
        if entry is not None and span.first <= entry.seq <= last:
            by_seq.setdefault(entry.seq, entry)
    result.entries = [by_seq[seq] for seq in sorted(by_seq)]
    end = max(by_seq, default=span.first - 1)
    if behind is not None:  # numbers that were jumped over were never given
        end += count_missing(end + 1, span.last + 1)
    result.missing = [seq for seq in range(span.first, end + 1) if seq not in by_seq]
    if behind is not None:  # the newest one's open calls are closed by the next start
        carried = _carried(behind.path)
        result.orphans = [intent for _, intent in sorted(opens.items()) if intent[0] not in carried]
    return result


def _taken(frame: Frame, opens: dict[int, tuple[str, bytes]]) -> SegmentEntry | None:
    if frame.kind == Kind.INTENT:
        opens[frame.number] = frame.intent()
        return None
    asked = opens.pop(frame.number, None)
    if frame.kind != Kind.COMPLETION or (asked is None and frame.number):
        return None
    seq, at_us = frame.stamp()
    return SegmentEntry(seq, *frame.completion(asked), at_us)


def _frames(data: bytes, result: Salvage) -> Iterator[Frame]:
    """Every frame of a segment that passes its own checksum."""
    at = HEADER_BYTES if Header.read(data) is not None else 0
    while at < len(data):
        group = frames.parse(data, at)
        if group is not None:
            yield from _inner(group.payload)
            at = group.end
            continue
        behind = frames.find(data, at + 1)
        end = len(data) if behind is None else behind
        if any(data[at:end]):
            result.bytes_lost += end - at
            yield from _inner(frames.payload_of(data[at:end]))
        at = end


def _inner(payload: bytes) -> Iterator[Frame]:
    """The frames of a group's payload, as far as it can be inflated and they are whole."""
    data, at = frames.inflated(payload), 0
    while (start := frames.find(data, at)) is not None:
        frame = frames.parse(data, start)
        assert frame is not None
        yield frame
        at = frame.end


def _carried(path: Path) -> set[str]:
    """The calls that were still open when a segment began."""
    if path.suffix not in (".seg", ".seg-damaged"):
        return set()
    reader = SegmentReader(path)
    try:
        reader.peek()
        count = 0 if reader.header is None else reader.header.carried
        return {intent[0] for _, intent in sorted(reader.opens.items())[:count]} | _completed(reader)
    finally:
        reader.close()


def _completed(reader: SegmentReader) -> set[str]:
    """The calls that a segment completes, those it took over among them."""
    names = set()
    while (entry := reader.next()) is not None:
        names.add(entry.event_id)
    return names


def _old(file: Path, source_id: int) -> Salvage:
    """A damaged segment of gembill 0.2, of which SQLite reads what it can."""
    result = Salvage(file)
    try:
        rows = upgrade.completions(file, source_id)
    except (ValueError, TypeError) as error:
        result.error = str(error)
        return result
    result.entries = [SegmentEntry(seq, name, body, at_us) for seq, at_us, name, body in rows]
    return result
