"""From recorded exchanges to the ledger, on the way of live traffic.

Owns: the order of capture, metering, rating and writing for imports, their batches and their counts. Not here: the
rules of any of these. Invariant: an exchange is in the ledger once, or refused by name, and never keeps back another.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from gembill.capture.attribution import caller_of
from gembill.capture.batch_results import exchange_for
from gembill.capture.context import ContextCache
from gembill.capture.fingerprint import Fingerprint
from gembill.event import Ending, Event
from gembill.importing.exported import ExportedCall, ExportedEvent
from gembill.importing.files import ImportItem
from gembill.importing.member import RefusedLine, shown
from gembill.importing.recorded import ImportDefaults, ImportedExchange
from gembill.ledger import DEMO_IMPORT, DEMO_SOURCE, InvalidPosting, Ledger, RatedEvent, known_events, read_record
from gembill.posting import append, joined, read_event, write_halving
from gembill.price_catalog import PricingTerms
from gembill.rules.metering import meter

BATCH = 500  # events of a transaction, which are of one source
_WAITING = 4_000  # events of all 64 sources: with fewer, most of the time goes into tiny transactions
_WAITING_BYTES = 32 << 20
SHOWN = 10  # refusals that are named; of the others it is said how many there are for which reason
_VALUE = re.compile(r"'[^']*'|[0-9]+")


@dataclass(slots=True)
class ImportSummary:
    """How an import went: calls that were new or known, exchanges that were skipped, lines that were refused."""

    new: int = 0
    known: int = 0  # in the ledger already, or twice in the files
    skipped: int = 0  # not calls, and polls without counts
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter, compare=False)  # of refusals, without the values in them

    def refusals(self) -> Iterator[str]:
        """How many lines were refused for which reason, the most frequent first; nothing where all were named."""
        if self.refused <= SHOWN:
            return
        yield f"{SHOWN} of {self.refused:,} refused lines are named above; by reason:"
        for reason, number in self.reasons.most_common(SHOWN):
            yield f"- {number:,}: {reason}"
        if (more := len(self.reasons) - SHOWN) > 0:
            yield f"- and {more:,} other reason{_s(more)}"

    def __str__(self) -> str:
        imported = self.new + self.known
        text = f"imported {imported:,} call{_s(imported)} ({self.new:,} new, {self.known:,} known)"
        if self.skipped:
            text += f", skipped {self.skipped:,} that {'is not a call' if self.skipped == 1 else 'are not calls'}"
        return text + (f", {self.refused:,} line{_s(self.refused)} refused" if self.refused else "")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call ready for the ledger: its place, the source of its event, and what is written."""

    place: str
    source_id: int
    posting: RatedEvent
    exported: bool = False  # its event has the id it had in the ledger it comes from
    demo: bool = False  # which held made-up calls

    @property
    def of_others(self) -> bool:
        """Whether other exchanges may show the same record: those of interactions and batches do."""
        return self.posting.record.id != self.posting.event_id


class Importer:
    """Takes items, writes them in batches; `finish` writes what still waits. `say` gets a sentence for each refusal."""

    def __init__(
        self,
        ledger: Ledger,
        fingerprint: Fingerprint,
        terms: PricingTerms,
        *,
        assumed: ImportDefaults,
        say: Callable[[str], object],
    ) -> None:
        self.summary = ImportSummary()
        self._ledger = ledger
        self._fingerprint = fingerprint
        self._terms = terms
        self._context = ContextCache()  # what one exchange explains of later ones, over all files
        self._assumed = assumed
        self._say = say
        self._waiting: list[_Waiting] = []
        self._bytes = 0

    def take(self, item: ImportItem) -> None:
        """Read an item and keep it for the next batch. LedgerError when the ledger cannot take a batch now."""
        try:
            recorded = item.read(self._assumed)
            waiting = [] if recorded is None else self._taken(item.place, recorded)
        except RefusedLine as refused:
            self._refuse(item.place, str(refused))
            return
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one exchange must not keep back the others
            self._refuse(item.place, f"it cannot be metered ({type(error).__name__}: {shown(str(error))})")
            return
        self.summary.skipped += not waiting
        self._waiting += waiting
        self._bytes += sum(len(one.posting.body) for one in waiting)
        if len(self._waiting) >= _WAITING or self._bytes >= _WAITING_BYTES:
            self.finish()

    def finish(self) -> None:
        """Write what waits."""
        groups: dict[tuple[int, bool], list[_Waiting]] = defaultdict(list)
        unknown = self._unknown(self._waiting)
        if any(each.demo for each in unknown):  # before they are written, so that no report shows them unmarked
            self._ledger.announce(DEMO_IMPORT, DEMO_SOURCE)
        postings = joined(self._ledger, [each.posting for each in unknown])
        for each, posting in zip(unknown, postings, strict=True):
            rated = replace(each, posting=posting)
            groups[rated.source_id, rated.of_others].append(rated)
        self._waiting.clear()
        self._bytes = 0
        for (source_id, _), waiting in groups.items():
            for start in range(0, len(waiting), BATCH):
                write_halving(waiting[start : start + BATCH], partial(self._append, source_id), self._refuse_unfit)

    def _unknown(self, waiting: Sequence[_Waiting]) -> list[_Waiting]:
        """What is not in the ledger yet. The events of an export keep their ids, whatever their source was."""
        known = known_events(self._ledger, [each.posting.event_id for each in waiting if each.exported])
        self.summary.known += len({each.posting.record.id for each in waiting if each.posting.event_id in known})
        return [each for each in waiting if not (each.exported and each.posting.event_id in known)]

    def _taken(self, place: str, recorded: ImportedExchange | ExportedCall) -> list[_Waiting]:
        if isinstance(recorded, ExportedCall):
            facts = {"exported": True, "demo": recorded.demo}
            return [_Waiting(place, one.source_id, self._rated(one), **facts) for one in recorded.events]
        source_id, postings = self._postings(recorded)
        return [_Waiting(place, source_id, posting) for posting in postings]

    def _rated(self, one: ExportedEvent) -> RatedEvent:
        rating = self._terms.rate(one.record)
        return RatedEvent(seq=None, event_id=one.id, body=one.body, record=one.record, rating=rating)

    def _postings(self, recorded: ImportedExchange) -> tuple[int, list[RatedEvent]]:
        """What is to be kept of an exchange, under the source of its identity; records may have keys of their own."""
        source_id, event_id = recorded.identity
        bodies = observed(recorded, event_id, self._fingerprint, self._context)
        return source_id, [self._posting(source_id, read_event(body), recorded.ended_us) for body in bodies]

    def _posting(self, source_id: int, event: Event, ended_us: int | None) -> RatedEvent:
        if event.ended_us is not None:
            event = msgspec.structs.replace(event, ended_us=ended_us)
        event = self._assumed.completed(event)
        record = meter(event, source_id)
        body = msgspec.json.encode(event)
        return RatedEvent(seq=None, event_id=event.id, body=body, record=record, rating=self._terms.rate(record))

    def _append(self, source_id: int, waiting: Sequence[_Waiting]) -> int:
        """Write a batch of one group and count what was new."""
        ids = {each.posting.record.id for each in waiting if each.of_others}
        there = {record_id for record_id in ids if read_record(self._ledger, record_id) is not None}
        new = append(self._ledger, source_id, [each.posting for each in waiting], self._terms.rate)
        if ids:
            new = len(ids - there)
        self.summary.new += new
        self.summary.known += len(waiting) - new
        return new

    def _refuse_unfit(self, unfit: _Waiting, error: InvalidPosting) -> None:
        self._refuse(unfit.place, f"the ledger cannot keep it: {shown(str(error))}")

    def _refuse(self, place: str, why: str) -> None:
        self.summary.refused += 1
        self.summary.reasons[_VALUE.sub("...", why)] += 1
        if self.summary.refused <= SHOWN:
            self._say(f"{place}: {why}")


def observed(recorded: ImportedExchange, event_id: str, fingerprint: Fingerprint, context: ContextCache) -> list[bytes]:
    """The events of an exchange: what the capture would have kept had it passed. All begin with one id.

    They say that it ended when it began, because the capture's clock was not running.
    """
    caller = caller_of(recorded.request_headers, recorded.query)
    began_us = recorded.occurred_us
    exchange = exchange_for(
        event_id, began_us, route=recorded.route, caller=caller, fingerprint=fingerprint, context=context
    )
    exchange.sent(recorded.request)
    ending = Ending.UNANSWERED
    if recorded.status is not None:
        exchange.answered(recorded.status, recorded.response_headers)
        exchange.received(recorded.answer)
        ending = Ending.CUT if recorded.cut else Ending.FINISHED
    return [body for _, body in exchange.events(ending, began_us)]


def _s(count: int) -> str:
    return "" if count == 1 else "s"
