"""One observed exchange, from its first byte to its event.

Owns: what is kept of a call while it passes: the request's and the answer's documents, read as they complete; and of a
poll, whose answer completes the record of a call. Not here: sockets, clocks, storage and the meaning of counts; and
exchanges that are not a single call (`batch_results`). Invariant: the event depends on the bytes and the facts given,
never on how they were cut; no credential of the caller is in it.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gembill.capture.attribution import CONVERSATION_LABEL, Caller, Header, may_show_key, strike, without_keys
from gembill.capture.context import ContextCache, Submitted
from gembill.capture.documents import Documents
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.slices import PACKED, PLAIN
from gembill.event import Ending, Event, RequestFacts, ResponseFacts, UnreadReason
from gembill.model import Operation
from gembill.wire.dialect import dialect
from gembill.wire.interactions import RUNNING
from gembill.wire.json_text import word
from gembill.wire.observation import Observation
from gembill.wire.routes import Role, Route
from gembill.wire.turns import Turns

_log = logging.getLogger("gembill.exchange")
_encoder = msgspec.json.Encoder()
_NOTHING_SEEN = ResponseFacts()
_OUR_WORDS = ("kind", "digest", "dressed", "unread")  # members of `ResponseFacts` whose text is never from outside
_TYPED = ("project", "location", "key", "labels", "asked")  # members of an event that callers write
_SERVED = ("model_version", "agent")  # members of `ResponseFacts` that repeat what callers wrote

_NAMED: dict[str, str] = {
    Operation.INTERACTIONS: "interaction",
    Operation.GENERATE_VIDEOS: "operation",
    Operation.EMBED_CONTENT: "batch",
    Operation.CACHE_STORAGE: "cache",
}


class Exchange:
    """Give it what passes, then take its `events`. `occurred_us` is when the request was received."""

    wanted = True
    """Whether the rest of the answer can still say anything."""
    request_slice = answer_slice = PLAIN
    """Bytes of the body that may be given at once without holding up others for long."""
    lists_results = False
    """Whether the answer may be the results of a batch."""

    finished = False
    _status: int | None = None
    _encoding = ""  # of the answer
    _tier: str | None = None
    _turns: Turns | None = None

    def __init__(
        self,
        event_id: str,
        occurred_us: int,
        *,
        route: Route,
        caller: Caller,
        fingerprint: Fingerprint,
        context: ContextCache | None = None,
    ) -> None:
        self.event_id = event_id
        self._context = context or ContextCache()
        self._dialect = dialect(route.operation)
        self._occurred_us = occurred_us
        self._route = route
        self._caller = caller
        self._fingerprint = fingerprint
        account = caller.account(route.project)
        self._key = fingerprint.key(caller.identity) if account is None else fingerprint.named(account)
        self._request = Documents()
        self._requested: list[bytes] = []
        self._answer = Documents()
        self._observation = Observation()

    def intent(self) -> bytes:
        """The event to keep if this process ends before the answer does."""
        return self._encode(self._event(Ending.LOST, None, RequestFacts(model=self._route.model), _NOTHING_SEEN))

    def request_headers(self, headers: Sequence[Header]) -> None:
        """The request's headers: how its body is encoded."""
        if encoding := _header(headers, b"content-encoding"):
            self._request = self._new_request(encoding.lower())
            self.request_slice = PACKED

    def _new_request(self, encoding: str = "") -> Documents:
        return Documents(encoding)

    def sent(self, data: bytes) -> None:
        """Bytes of the request's body."""
        self._requested += self._read(self._request, data)

    def passed_of_request(self, data: bytes) -> bool:
        """Whether bytes of the request's body are the middle of a long string: then they are taken, which is quick."""
        return self._request.passes_over(data)

    def passed_of_answer(self, data: bytes) -> bool:
        """The same of the answer's body."""
        return self._answer.passes_over(data)

    def answered(self, status: int, headers: list[Header]) -> None:
        """The head of the answer."""
        self._status = status
        if encoding := _header(headers, b"content-encoding"):
            self._encoding = encoding.lower()
            self._answer = Documents(self._encoding)
            self.answer_slice = PACKED
        if tier := _header(headers, b"x-gemini-service-tier"):
            self._tier = word(tier, 64)

    def received(self, data: bytes) -> None:
        """Bytes of the answer's body, as they came."""
        for document in self._read(self._answer, data):
            self._observe(document)

    def document(self, document: bytes) -> None:
        """A whole document of the answer, where these do not come as a body."""
        self._observe(document)

    def mark_unread(self, reason: UnreadReason) -> None:
        """Some of the answer was not read."""
        self._observation.mark_unread(reason)

    @property
    def has_results(self) -> bool:
        """Whether it is time to take `results`."""
        return False

    def end_answer(self) -> None:
        """The answer is over, whole or not: results that waited for what is behind them wait no longer."""

    def results(self) -> Iterator[list[tuple[str, bytes]]]:
        """The events, by event id, of the results that came, in portions; of none where the exchange is one call."""
        return iter(())

    def events(self, ending: Ending, ended_us: int, *, retried: int = 0) -> list[tuple[str, bytes]]:
        """What is to be kept, by event id: the event of a call; of a poll one if its answer completes a record.

        To be called once, however the exchange ended.
        """
        body = self.finish(ending, ended_us, retried=retried)
        if self._route.role is Role.ANSWER and not self._completes_record:
            return []
        return [(self.event_id, body)]

    def finish(self, ending: Ending, ended_us: int, *, retried: int = 0) -> bytes:
        """The event, as JSON, whether it is to be kept or not. To be called once, by `events` or in its place."""
        assert not self.finished
        self.finished = True
        if ending is Ending.LOST:
            return self.intent()
        try:
            seen = self._response_facts()  # first: a poll knows what was asked by the name in its answer
            event = self._event(ending, ended_us, self._request_facts(), seen, retried)
            self._remember(event)
            return self._encode(event)
        except Exception:  # noqa: BLE001 - the same rule as in `_observe`
            _log.exception("the event of call %s could not be put together", self.event_id)
            nothing = ResponseFacts(unread=UnreadReason.RECORDER_ERROR)
            return self._encode(self._event(ending, ended_us, RequestFacts(model=self._route.model), nothing))

    def _note_submitted(self, name: str, model: str | None, **more: Any) -> Submitted:  # noqa: ANN401
        """Remember this call under the name that the API gave its work; `more` are further fields of `Submitted`."""
        submitted = Submitted(
            operation=self._route.operation,
            name=name,
            occurred_us=self._occurred_us,
            key=self._key,
            labels=self._caller.labels,
            labels_cut=self._caller.labels_cut,
            model=model,
            **more,
        )
        self._context.note_batch(self._route.api, name, submitted)
        return submitted

    def _remember(self, event: Event) -> None:
        """What later exchanges need to know of this one: which turn of a chat it was."""
        turn = None if self._turns is None else self._observation.said.turn(self._turns.prompt)
        if turn is not None and event.asked.conversation is not None:
            self._context.chats.note(self._chatter, turn, event.asked.conversation)

    @property
    def _completes_record(self) -> bool:
        """Whether a poll says what its call used, or that it ended, as a failed or cancelled one may without usage."""
        return self._observation.has_usage or self._observation.finish_reason not in (None, *RUNNING)

    def _read(self, documents: Documents, data: bytes | None) -> list[bytes]:
        """The documents that these bytes complete, or that the end does where `data` is None."""
        try:
            return documents.close() if data is None else documents.feed(data)
        except Exception:  # noqa: BLE001 - the same rule as in `_observe`
            _log.exception("a body of call %s could not be read", self.event_id)
            documents.trouble = UnreadReason.RECORDER_ERROR
            return []

    def _response_facts(self) -> ResponseFacts:
        for document in self._read(self._answer, None):
            self._observe(document)
        if self._answer.trouble:
            self._observation.mark_unread(self._answer.trouble)
        if self._answer.shortened:
            self._observation.mark_unread(self._answer.shortened)
        facts = self._observation.response_facts()
        return msgspec.structs.replace(facts, service_tier=self._tier) if self._tier else facts

    def _observe(self, document: bytes) -> None:
        try:
            self._dialect.observe(document, self._observation)
        except Exception:  # noqa: BLE001 - a mistake of ours may cost the count, loudly, but never the answer
            _log.exception("a document of call %s could not be read", self.event_id)
            self._observation.mark_unread(UnreadReason.RECORDER_ERROR)

    def _body(self) -> bytes | None:
        """The request's JSON text, None if there is none that can be read."""
        self._requested += self._read(self._request, None)
        return self._requested[0] if self._requested and not self._request.trouble else None

    def _request_facts(self) -> RequestFacts:
        if self._route.role is not Role.CALL:
            return RequestFacts()  # a poll asks for nothing
        facts, self._turns = self._dialect.request_facts(self._body(), self._route.model)
        if self._request.trouble or self._request.shortened is UnreadReason.TOO_LARGE:
            facts = msgspec.structs.replace(facts, unread=True)
        if facts.declared is None and facts.cached_content:
            declared = self._context.cached(self._route.api, facts.cached_content)
            facts = msgspec.structs.replace(facts, declared=declared)
        name = self._caller.labels.get(CONVERSATION_LABEL)
        conversation = self._fingerprint.conversation(self._key, name) if name else None
        if conversation is None and self._turns is not None:
            before = self._turns.before is not None
            known = self._context.chats.conversation(self._chatter, self._turns) if before else None
            conversation = known or self.event_id
        return msgspec.structs.replace(facts, conversation=conversation)

    @property
    def _chatter(self) -> str:
        """Whose chats a turn can be of."""
        return f"{self._route.api}\0{self._key or ''}"

    def _event(
        self, ending: Ending, ended_us: int | None, request: RequestFacts, response: ResponseFacts, retried: int = 0
    ) -> Event:
        return Event(
            id=self.event_id,
            occurred_us=self._occurred_us,
            ended_us=ended_us,
            api=self._route.api,
            operation=self._route.operation,
            project=self._route.project,
            location=self._route.location,
            streamed=self._route.streamed,
            key=self._key,
            labels=self._caller.labels,
            labels_cut=self._caller.labels_cut,
            asked=request,
            ending=ending,
            http_status=self._status,
            seen=response,
            retried=retried,
            natural=self._natural(response),
        )

    def _natural(self, response: ResponseFacts) -> tuple[str, ...]:
        """The natural key (contract.md, Identity) of what has one, from the moment the API names it."""
        route = self._route
        if route.operation not in _NAMED:
            return ()
        name = response.response_id or route.subject
        return (_NAMED[route.operation], route.api.value, name) if name else ()

    def _encode(self, event: Event) -> bytes:
        body = _encoder.encode(event)
        shown = self._caller.shows_in(body)
        if not shown and not may_show_key(body):
            return body
        members = msgspec.to_builtins(event)
        foreign = [name for name in ("asked", "seen", "natural") if shown and name in members]  # our own words stay
        members |= {name: self._struck(members[name]) for name in foreign}
        members |= {name: without_keys(members[name]) for name in _TYPED if name in members}
        if "seen" in members:
            members["seen"] |= {name: without_keys(text) for name, text in members["seen"].items() if name in _SERVED}
        return _encoder.encode(members)

    def _struck(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, str):
            return strike(value, self._caller.credentials)
        if isinstance(value, dict):
            return {name: self._struck_at(name, inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._struck(inner) for inner in value]
        return value

    def _struck_at(self, name: str, value: Any) -> Any:  # noqa: ANN401
        if name in _OUR_WORDS:
            return value
        return self._struck_usage(value) if name == "usage" else self._struck(value)

    def _struck_usage(self, text: str) -> str:
        """A usage with its strings struck. Counts and their names stay: `?key=promptTokenCount` must hide no token."""
        try:
            return json.dumps(self._struck_json(json.loads(text)))
        except (ValueError, RecursionError):
            return strike(text, self._caller.credentials)

    def _struck_json(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, str):
            return strike(value, self._caller.credentials)
        if isinstance(value, dict):
            return {n if n.isalpha() else self._struck_json(n): self._struck_json(inner) for n, inner in value.items()}
        return [self._struck_json(inner) for inner in value] if isinstance(value, list) else value


def _header(headers: Sequence[Header], wanted: bytes) -> str:
    length = len(wanted)
    for name, value in headers:
        if len(name) == length and name.lower() == wanted:
            return value.decode("latin-1").strip()
    return ""
