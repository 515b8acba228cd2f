"""Exchanges that are not a single call: results of batches, and what must be remembered to understand later ones.

Owns: which observer an exchange gets, the events of batch entries, and what is noted of cached contents and of batches
(wire.md 4, 5.8). Not here: fields of the wire, and storage. Invariant: an entry of a batch gives the same natural key
whenever and by whomever it is read; what is only remembered never becomes an event. However long an answer or a file
is, its results are taken out as they come, and `_PATIENT` bytes of them at most wait for what is said behind them.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5
from zlib import crc32

import msgspec

from gembill.capture.attribution import Caller, Header
from gembill.capture.cache_storage import CacheExchange
from gembill.capture.context import ContextCache, Submitted
from gembill.capture.documents import RESULTS_LIMIT, Documents
from gembill.capture.eliding import Elider
from gembill.capture.exchange import Exchange
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.jobs import JOBS, JobExchange, OperationPoll
from gembill.capture.listed import ListItems, Path
from gembill.event import Ending, Event, RequestFacts, UnreadReason
from gembill.model import Operation
from gembill.wire import batch, embeddings
from gembill.wire.json_text import fields, value, word
from gembill.wire.observation import Observation
from gembill.wire.routes import Role, Route

_log = logging.getLogger("gembill.exchange")
AT_ONCE = 500  # results that are written together, because a sync costs as much as hundreds of them
_PORTION = 100  # results that are read without a pause
_MUCH = 1 << 20  # bytes of results that are written together, however few those are
_EACH = 200  # bytes that a result takes beside its text
_PATIENT = 4 << 20  # bytes of results that wait for the model, or for a line that says what kind of file it is


def exchange_for(
    event_id: str,
    occurred_us: int,
    *,
    route: Route,
    caller: Caller,
    fingerprint: Fingerprint,
    context: ContextCache | None = None,
) -> Exchange:
    """An exchange on this route; its `events` are what is to be kept."""
    kind: type[Exchange] = Exchange
    if route.operation == Operation.CACHE_STORAGE:
        kind = CacheExchange
    elif route.role is Role.NOTICE:
        kind = ContextExchange
    elif route.operation == Operation.BATCH:
        kind = BatchResults
    elif route.role is Role.CALL and route.operation in JOBS:
        kind = JobExchange
    elif route.operation == Operation.GENERATE_VIDEOS:
        kind = OperationPoll
    return kind(event_id, occurred_us, route=route, caller=caller, fingerprint=fingerprint, context=context)


class ContextExchange(Exchange):
    """A batch that is made: remembered, never recorded, because its entries are the calls."""

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **more)
        self._request = self._new_request()

    def _new_request(self, encoding: str = "") -> Documents:
        self._declared = bytearray()  # by inlined request
        self._listed = False
        return Documents(encoding, framing=self._framing)

    def _framing(self, elider: Callable[[], Elider], note: Callable[[UnreadReason], None]) -> ListItems:
        return ListItems(elider, note, paths=batch.REQUESTS, taken=self._take_request)

    def _take_request(self, _path: Path, _place: int, text: bytes | None, _unread: UnreadReason | None) -> None:
        self._listed = True
        allows = batch.allows_code(text) if text is not None else False
        if allows is not None:
            self._declared.append(allows)

    def events(self, ending: Ending, ended_us: int, *, retried: int = 0) -> list[tuple[str, bytes]]:  # noqa: ARG002
        """None; what the answer names is noted."""
        self.finished = True
        if ending is Ending.FINISHED and 200 <= (self._status or 0) < 300:
            for document in self._read(self._answer, None):
                self._note(document)
        return []

    def _observe(self, document: bytes) -> None:
        """Nothing: the answer is one JSON text, which only its end completes."""

    def _note(self, document: bytes) -> None:
        declared = batch.declared(self._body())  # without those that were taken out of it
        name = word(value((fields(document) or {}).get("name")))
        if name is not None and declared is not None:
            declared_bytes = bytes(self._declared) if self._listed else bytes(declared)
            self._note_submitted(name, self._route.model, declared=declared_bytes)
            self._context.note_unread(self._route.api, name)


@dataclass(frozen=True, slots=True)
class _Result:
    """A result that came and was not read yet."""

    place: int
    text: bytes
    unread: UnreadReason | None = None


class BatchResults(Exchange):
    """The answer to a poll of a batch, or the file of its results: an event for each entry, while they come."""

    lists_results = True
    _ended = False

    def answered(self, status: int, headers: list[Header]) -> None:
        """The head of the answer."""
        super().answered(status, headers)
        self._waiting: deque[_Result] = deque()
        self._waiting_bytes = 0
        self._places = 0
        self._taken = _Taken() if self._route.is_file else None
        self._are_calls: bool | None = None  # whether a file has calls, or embeddings
        self._tokens: int | None = None  # of embeddings
        self._error: msgspec.Raw | None = None
        self._inlined: ListItems | None = None
        self._model: str | None = None
        framing = None if self._route.is_file else self._framing
        self._answer = Documents(self._encoding, lines=self._route.is_file, framing=framing, most=RESULTS_LIMIT)
        self.wanted = status < 300

    def received(self, data: bytes) -> None:
        """Bytes of the answer's body, as they came; of a file that holds no results, none are looked at."""
        if self.wanted:
            super().received(data)
            self.wanted = not self._answer.trouble

    @property
    def has_results(self) -> bool:
        """Whether so many wait that it is worth a sync, and what they need to know is known, or waited for too long."""
        if self._status is None or not self._waiting:
            return False
        if self._ended or self._waiting_bytes > _PATIENT:
            return True
        return (len(self._waiting) >= AT_ONCE or self._waiting_bytes > _MUCH) and self._is_decided()

    def results(self) -> Iterator[list[tuple[str, bytes]]]:
        """The events of those that came, by event id, in portions: making one of them holds up nobody."""
        while self._waiting:
            yield [event for _ in range(min(_PORTION, len(self._waiting))) for event in self._next()]

    def _next(self) -> list[tuple[str, bytes]]:
        result = self._waiting.popleft()
        self._waiting_bytes -= len(result.text) + _EACH
        try:
            return self._events_of(result)
        except Exception:  # noqa: BLE001 - a mistake of ours may cost the count, loudly, but never the answer
            _log.exception("results in the answer to %s could not be read", self.event_id)
            return []

    def events(self, ending: Ending, ended_us: int, *, retried: int = 0) -> list[tuple[str, bytes]]:  # noqa: ARG002
        """The events of those results that are left; for a batch of embeddings one, if its making was seen."""
        self.finished = True
        if self._status is None or self._status >= 300:
            return []
        self.end_answer()
        events = [event for events in self.results() for event in events]
        return events if self._tokens is None else self._embeddings(self._tokens)

    def end_answer(self) -> None:
        """What only the end completes, and what it leaves unread."""
        if self._ended or self._status is None:
            return
        self._ended = True
        for document in self._read(self._answer, None):
            self._observe(document)
        self._say_trouble()

    def _say_trouble(self) -> None:
        if self._waiting or self._places:
            for reason in (self._answer.trouble, self._answer.shortened):
                if reason is not None:
                    _log.error("results in the answer to %s are missing, or were cut: %s", self.event_id, reason)

    # What came

    def _framing(self, elider: Callable[[], Elider], note: Callable[[UnreadReason], None]) -> ListItems:
        paths = (*batch.INLINED, *embeddings.INLINED)
        self._inlined = ListItems(elider, note, paths=paths, wanted=(batch.MODEL,), taken=self._take_inlined)
        return self._inlined

    def _take_inlined(self, path: Path, place: int, text: bytes | None, unread: UnreadReason | None) -> None:
        """A result within the answer. The API says them twice: each place counts once."""
        if place < self._places:
            return
        self._places = place + 1
        if path in embeddings.INLINED:
            self._add_tokens(embeddings.entry_tokens(text or b""))
        else:
            self._wait(_Result(place, text or b"", unread))

    def _observe(self, document: bytes) -> None:
        """A line of a file, or what an answer says beside its results."""
        try:
            if self._route.is_file:
                self._take_line(document)
            else:
                self._job(document)
        except Exception:  # noqa: BLE001 - the same rule as in `_next`
            _log.exception("results in the answer to %s could not be read", self.event_id)

    def _take_line(self, document: bytes) -> None:
        if self._are_calls is None:
            self._are_calls = _is_of_call(document)
        self._wait(_Result(self._places, document, None if document else UnreadReason.TOO_LARGE))
        self._places += 1

    def _wait(self, result: _Result) -> None:
        self._waiting.append(result)
        self._waiting_bytes += len(result.text) + _EACH

    def _add_tokens(self, tokens: int | None) -> None:
        if tokens is not None:
            self._tokens = (self._tokens or 0) + tokens

    def _job(self, document: bytes) -> None:
        job = batch.job(document)
        if job is None:
            return
        self._model = job.model
        submitted = self._submitted()
        if job.file and submitted:
            self._context.note_batch(self._route.api, job.file, msgspec.structs.replace(submitted, declared=b""))
        if submitted and embeddings.batch_error(document) is not None:
            self._context.note_read(self._route.api, submitted.name)
        if embeddings.is_batch(document) and self._tokens is None:
            self._error = embeddings.batch_error(document)
            self._tokens = None if self._error is None else 0

    # Events of it

    def _is_decided(self) -> bool:
        """Whether it is known what the entries before this place need to know."""
        if self._route.is_file:
            return self._are_calls is not None
        if self._model is None and self._inlined is not None:
            self._model = word(value(b'"%b"' % self._inlined.texts.get(batch.MODEL, b"")))
        return self._model is not None

    def _events_of(self, result: _Result) -> list[tuple[str, bytes]]:
        if self._are_calls is False:
            self._add_tokens(embeddings.line_tokens(result.text))
            return []
        if self._route.is_file and result.unread is not None:
            entry = batch.lost_line(result.place) if self._are_calls else None  # else nobody knows what it was
        elif self._route.is_file:
            entry = batch.entry_of_line(result.text, result.place)
        else:
            entry = batch.inlined_entry(result.text, result.place)
        if entry is None:
            return []
        event = self._entry(entry, result)
        return [(event.id, self._encode(event))]

    def _embeddings(self, tokens: int) -> list[tuple[str, bytes]]:
        """The event that completes the call which made a batch of embeddings."""
        submitted, api = self._submitted(), self._route.api
        if submitted is None or submitted.operation != Operation.EMBED_CONTENT:
            return []
        observation = Observation()
        observation.add_word("response_id", submitted.name)
        if self._error is None:
            observation.update_usage(embeddings.usage_of(tokens))
        observation.add_error(value(self._error))
        event = Event(
            id=self.event_id,
            occurred_us=submitted.occurred_us,
            api=api,
            operation=Operation.EMBED_CONTENT,
            key=submitted.key,
            labels=submitted.labels,
            labels_cut=submitted.labels_cut,
            asked=RequestFacts(model=submitted.model, service_tier=batch.TIER),
            ending=Ending.FINISHED,
            http_status=self._status,
            seen=observation.response_facts(),
            natural=("batch", api.value, submitted.name),
        )
        return [(event.id, self._encode(event))]

    def _submitted(self) -> Submitted | None:
        return self._context.batch(self._route.api, self._route.subject or "")

    def _entry(self, entry: batch.BatchEntry, result: _Result) -> Event:
        """The event of an entry. Who submitted the batch is asked first: reading its results takes no attribution."""
        observation, known, api = Observation(), self._submitted(), self._route.api
        entry.observe(observation)
        if result.unread is not None:
            observation.mark_unread(result.unread)
        if known:
            self._context.note_read(api, known.name)
        labelled = known or self._caller
        return Event(
            id=str(uuid5(UUID(self.event_id), self._distinct(entry.key, result.place))),
            occurred_us=known.occurred_us if known else self._occurred_us,
            api=api,
            operation=Operation.BATCH,
            key=known.key if known else self._key,
            labels=labelled.labels,
            labels_cut=labelled.labels_cut,
            asked=RequestFacts(
                model=self._model or (known.model if known else None),
                declared=known.declares(entry.key) if known else None,
                service_tier=batch.TIER,
            ),
            ending=Ending.FINISHED,
            http_status=self._status,
            seen=msgspec.structs.replace(observation.response_facts(), service_tier=batch.TIER),
            natural=("batch", api.value, self._route.subject or "", entry.key),
        )

    def _distinct(self, key: str, place: int) -> str:
        """The key; with its place where the key was seen before in this file, so that no two events have one id."""
        if self._taken is None or self._taken.is_first(key):
            return key
        return f"{place} {key}"


def _is_of_call(line: bytes) -> bool | None:
    """Whether a line of a file is of a call, and not of an embedding; None where it may be of either."""
    if embeddings.line_tokens(line) is not None:
        return False
    return batch.has_response(line) or None


class _Taken:
    """Which keys were seen, in a mebibyte however many there are: now and then a new one counts as seen."""

    def __init__(self) -> None:
        self._bits = bytearray(1 << 20)

    def is_first(self, key: str) -> bool:
        """Whether a key was certainly not seen before; now it was."""
        place, bit = divmod(crc32(key.encode("utf-8", "replace")) & 0x7FFFFF, 8)
        first = not self._bits[place] >> bit & 1
        self._bits[place] |= 1 << bit
        return first
