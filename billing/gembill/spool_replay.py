"""Filling a ledger again from the spools that are kept: one that is new, restored from a backup, or fell back.

Owns: the order in which kept events of all spools are posted again, and what is said of each spool. Not here: reading
spools (`gembill.spool.kept`), and posting one event (`gembill.posting`). Invariant: what the ledger has already stays
as it is, so that doing it twice, or beside a running proxy, changes nothing; no cursor is moved.

Spools are read together in the order of time: an interaction finds the one before it even where another proxy had it.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from gembill.errors import SpoolError
from gembill.ledger import InvalidPosting, Ledger, RatedEvent, SpoolRefused
from gembill.posting import append, joined, posting, write_halving
from gembill.price_catalog import PricingTerms
from gembill.spool import KeptSpool, SegmentEntry, kept_spools

_BATCH = 1_000


@dataclass(slots=True)
class SpoolReplay:
    """What became of one spool: how many events it keeps since the moment named, how many the ledger lacked, and how
    many it cannot keep. `refused` says why no more of it was posted, `damage` what of it cannot be read."""

    path: Path
    source_id: int
    events: int = 0
    added: int = 0
    unfit: int = 0
    first_us: int | None = None
    last_us: int | None = None
    refused: str | None = None
    damage: tuple[str, ...] = ()


def replay_spools(
    ledger: Ledger, root: Path, terms: PricingTerms, on_batch: Callable[[int, int], None], *, since_us: int = 0
) -> list[SpoolReplay]:
    """Post the kept events of every spool below a root that the ledger lacks; `on_batch` hears how many were read and
    added. LedgerError where the ledger cannot be written, SpoolError where a disk fails."""
    with ExitStack() as stack:
        spools: list[KeptSpool] = []
        results: list[SpoolReplay] = []
        for path in kept_spools(root):
            result = SpoolReplay(path, int(path.name, 16))
            results.append(result)
            try:
                spool = KeptSpool.open(path)
            except SpoolError as error:
                result.refused = str(error)
                continue
            stack.callback(spool.close)
            spools.append(spool)
        _Replay(ledger, terms, {each.source_id: each for each in results}).run(spools, since_us, on_batch)
        for spool in spools:
            result = next(each for each in results if each.source_id == spool.source_id)
            result.damage = tuple(damage.reason for damage in spool.damage)
    return results


class _Replay:
    """One run. `results` are by source and grow."""

    def __init__(self, ledger: Ledger, terms: PricingTerms, results: dict[int, SpoolReplay]) -> None:
        self._ledger = ledger
        self._terms = terms
        self._results = results
        self._read = self._added = 0

    def run(self, spools: Sequence[KeptSpool], since_us: int, on_batch: Callable[[int, int], None]) -> None:
        """All that these spools keep, in the order of time."""
        streams = [_stamped(spool, since_us) for spool in spools]
        entries = heapq.merge(*streams, key=lambda stamped: stamped[1].at_us)
        while batch := list(islice(entries, _BATCH)):
            self._post(batch)
            on_batch(self._read, self._added)

    def _post(self, batch: Sequence[tuple[int, SegmentEntry]]) -> None:
        made = [(source_id, one) for source_id, entry in batch if (one := self._made(source_id, entry)) is not None]
        chained = joined(self._ledger, [one for _, one in made])
        by_source: dict[int, list[RatedEvent]] = {}
        for (source_id, _), one in zip(made, chained, strict=True):
            by_source.setdefault(source_id, []).append(one)
        for source_id, events in by_source.items():
            self._append(self._results[source_id], events)

    def _made(self, source_id: int, entry: SegmentEntry) -> RatedEvent | None:
        """An event read and rated; None where that cannot be done, or its spool was refused."""
        result = self._results[source_id]
        result.events += 1
        self._read += 1
        result.first_us = entry.at_us if result.first_us is None else min(result.first_us, entry.at_us)
        result.last_us = max(result.last_us or entry.at_us, entry.at_us)
        if result.refused is not None:
            return None
        try:
            return posting(entry, source_id, self._terms)
        except Exception as error:  # noqa: BLE001 - as in posting: one event must not keep back the others
            self._bury(result, entry, f"{type(error).__name__}: {error}")
            return None

    def _append(self, result: SpoolReplay, events: Sequence[RatedEvent]) -> None:
        def write(some: Sequence[RatedEvent]) -> int:
            return append(self._ledger, result.source_id, some, self._terms.rate)

        try:
            added = write_halving(events, write, partial(self._refuse, result))
        except SpoolRefused as error:
            result.refused = str(error)
            return
        result.added += added
        self._added += added

    def _refuse(self, result: SpoolReplay, event: RatedEvent, error: InvalidPosting) -> None:
        entry = SegmentEntry(event.seq or 0, event.event_id, event.body)
        self._bury(result, entry, str(error))

    def _bury(self, result: SpoolReplay, entry: SegmentEntry, reason: str) -> None:
        """Keep it among the dead letters, where it may be already."""
        result.unfit += 1
        self._ledger.add_dead_letter(result.source_id, entry.seq, entry.event_id, entry.body, reason)


def _stamped(spool: KeptSpool, since_us: int) -> Iterator[tuple[int, SegmentEntry]]:
    """The entries of a spool, each with its source."""
    return ((spool.source_id, entry) for entry in spool.entries(since_us))
