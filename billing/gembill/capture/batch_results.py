"""Exchanges that are not a single call: results of batches, and what must be remembered to understand later ones.

Owns: which observer an exchange gets, the events of batch entries, and what is noted of cached contents and of batches
(wire.md 4, 5.8). Not here: fields of the wire, and storage. Invariant: an entry of a batch gives the same natural key
whenever and by whomever it is read; what is only remembered never becomes an event.
"""

import logging
from uuid import UUID, uuid5

import msgspec

from gembill.capture.attribution import Caller, Header
from gembill.capture.cache_storage import CacheExchange
from gembill.capture.context import ContextCache, Submitted
from gembill.capture.documents import Documents
from gembill.capture.eliding import Bounds
from gembill.capture.exchange import Exchange
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.jobs import JOBS, JobExchange, OperationPoll
from gembill.event import Ending, Event, RequestFacts
from gembill.model import Operation
from gembill.wire import batch, embeddings
from gembill.wire.json_text import fields, value, word
from gembill.wire.observation import Observation
from gembill.wire.routes import Role, Route

_log = logging.getLogger("gembill.exchange")
_ENTRIES = Bounds(size=256 << 20, containers=1 << 24, quotes=1 << 26)  # each entry is a call: none may be left out
_REQUESTS = Bounds(size=64 << 20, containers=1 << 22, quotes=1 << 24)


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

    _request_bounds = _REQUESTS

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
        declared = batch.declared(self._body())
        name = word(value((fields(document) or {}).get("name")))
        if name is not None and declared is not None:
            self._note_submitted(name, self._route.model, declared=bytes(declared))


class BatchResults(Exchange):
    """The answer to a poll of a batch, or the file of its results: an event for each entry."""

    def answered(self, status: int, headers: list[Header]) -> None:
        """The head of the answer."""
        super().answered(status, headers)
        self._events: dict[str, tuple[str, bytes]] = {}
        self._places = 0
        self._tokens: int | None = None  # of embeddings
        self._error: msgspec.Raw | None = None
        if self._route.is_file:
            self._answer = Documents(self._encoding, lines=True)
        else:
            self._answer = Documents(self._encoding, bounds=_ENTRIES)
        self.wanted = status < 300

    def received(self, data: bytes) -> None:
        """Bytes of the answer's body, as they came; of a file that holds no results, none are looked at."""
        if self.wanted:
            super().received(data)
            self.wanted = not self._answer.trouble

    def events(self, ending: Ending, ended_us: int, *, retried: int = 0) -> list[tuple[str, bytes]]:  # noqa: ARG002
        """An event for each entry that was seen whole; for a batch of embeddings one, if its making was seen."""
        self.finished = True
        if self._status is None or self._status >= 300:
            return []
        for document in self._read(self._answer, None):
            self._observe(document)
        if self._answer.shortened:
            _log.error("the answer to %s holds more results than are read: those behind are missing", self.event_id)
        return list(self._events.values()) if self._tokens is None else self._embeddings(self._tokens)

    def _observe(self, document: bytes) -> None:
        try:
            self._results(document)
        except Exception:  # noqa: BLE001 - a mistake of ours may cost the count, loudly, but never the answer
            _log.exception("results in the answer to %s could not be read", self.event_id)

    def _results(self, document: bytes) -> None:
        if self._route.is_file:
            tokens = embeddings.line_tokens(document)
            if tokens is not None:
                self._tokens = (self._tokens or 0) + tokens
                return
            line = batch.entry_of_line(document, self._places)
            self._places += 1
            if line is not None:
                self._keep(line, None)
            return
        job = batch.job(document)
        if job is None:
            return
        submitted = self._submitted()
        if job.file and submitted:
            self._context.note_batch(self._route.api, job.file, msgspec.structs.replace(submitted, declared=b""))
        if embeddings.is_batch(document):
            self._tokens = embeddings.batch_tokens(document)
            if self._tokens is None and (error := embeddings.batch_error(document)) is not None:
                self._tokens, self._error = 0, error
            return
        for entry in job.entries:
            self._keep(entry, job.model)

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

    def _keep(self, entry: batch.BatchEntry, model: str | None) -> None:
        if entry.key not in self._events:
            event = self._entry(entry, model)
            self._events[entry.key] = (event.id, self._encode(event))

    def _entry(self, entry: batch.BatchEntry, model: str | None) -> Event:
        """The event of an entry. Who submitted the batch is asked first: reading its results takes no attribution."""
        observation, known, api = Observation(), self._submitted(), self._route.api
        entry.observe(observation)
        labelled = known or self._caller
        return Event(
            id=str(uuid5(UUID(self.event_id), entry.key)),
            occurred_us=known.occurred_us if known else self._occurred_us,
            api=api,
            operation=Operation.BATCH,
            key=known.key if known else self._key,
            labels=labelled.labels,
            labels_cut=labelled.labels_cut,
            asked=RequestFacts(
                model=model or (known.model if known else None),
                declared=known.declares(entry.key) if known else None,
                service_tier=batch.TIER,
            ),
            ending=Ending.FINISHED,
            http_status=self._status,
            seen=msgspec.structs.replace(observation.response_facts(), service_tier=batch.TIER),
            natural=("batch", api.value, self._route.subject or "", entry.key),
        )
