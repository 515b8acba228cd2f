"""How each spool below a root is, for whoever looks after an installation.

Owns: what is said of a spool from outside. Not here: reading completions, and deciding anything. Invariant: nothing is
changed, and whoever has a spool is not disturbed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gembill.spool.directory import SpoolDirectory, why_left
from gembill.spool.reader import read_cursor
from gembill.spool.segment import SegmentReader
from gembill.spool.segments import SequenceRange, listed

_SPOOL = re.compile(r"([0-7][0-9a-f]{15})(\.damaged-[0-9a-f]+|\.renewed)?")
_DAMAGED = (".seg-damaged", ".db-damaged")
IN_USE, IDLE, COPY, LEFT, SET_ASIDE, RENEWED = "in use", "idle", "copy", "left alone", "set aside", "renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSurvey:
    """A spool as it lies there. `unposted` counts completions, `open_calls` those under way or never closed, `damaged`
    segments in which damage was found; `reason` says why it is left alone or cannot be looked at."""

    path: Path
    source_id: int
    state: str
    last: int = 0
    unposted: int = 0
    open_calls: int = 0
    segments: int = 0
    damaged: int = 0
    bytes: int = 0
    reason: str | None = None


def survey_spools(root: Path) -> list[SpoolSurvey]:
    """Every spool below a root, also those that were set aside, in order of name; none where there is no root."""
    if not root.is_dir():
        return []
    paths = [(path, match) for path in sorted(root.iterdir()) if (match := _SPOOL.fullmatch(path.name))]
    return [_survey(path, int(match[1], 16), match[2] or "") for path, match in paths]


def read_unposted(path: Path) -> list[str]:
    """The ids of the calls of a spool that are not known to be posted, also of those under way. Raises OSError."""
    posted, spans = read_cursor(path), listed(path)
    ids: list[str] = []
    for span in spans:
        if span is not spans[-1] and span.last <= posted:
            continue
        reader = SegmentReader(span.path)
        try:
            while (entry := reader.next()) is not None:
                if entry.seq > posted:
                    ids.append(entry.event_id)
            if span is spans[-1]:
                ids += [event_id for event_id, _ in reader.opens.values()]
        finally:
            reader.close()
    return ids


def _survey(path: Path, source_id: int, ending: str) -> SpoolSurvey:
    try:
        state = _state(path) if not ending else RENEWED if ending == ".renewed" else SET_ASIDE
        spans = listed(path)
        last, opens = _newest(spans[-1]) if spans else (0, 0)
        files = [file for file in path.iterdir() if file.is_file()]
        return SpoolSurvey(
            path=path,
            source_id=source_id,
            state=state,
            last=last,
            unposted=max(0, last - read_cursor(path)) if not ending else 0,
            open_calls=opens,
            segments=len(spans),
            damaged=sum(file.suffix in _DAMAGED for file in files),
            bytes=sum(file.stat().st_size for file in files),
            reason=why_left(path),
        )
    except OSError as error:
        return SpoolSurvey(
            path=path, source_id=source_id, state=SET_ASIDE, reason=f"it cannot be read: {error.strerror}"
        )


def _state(path: Path) -> str:
    directory = SpoolDirectory.lock(path)
    if directory is None:
        return IN_USE
    directory.release()
    if why_left(path) is not None:
        return LEFT
    return COPY if directory.is_copy else IDLE


def _newest(span: SequenceRange) -> tuple[int, int]:
    """The highest number of the newest segment, and its open intents."""
    reader = SegmentReader(span.path)
    try:
        last = span.first - 1
        while (entry := reader.next()) is not None:
            last = max(last, entry.seq)
        return last, len(reader.opens)
    finally:
        reader.close()
