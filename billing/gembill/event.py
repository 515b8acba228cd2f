"""What was seen of a call, in the form that is stored: JSON in spool and ledger.

Owns: the event and its parts, msgspec structs with optional fields, so that events of other versions can be read. Not
here: what an event means (`gembill.rules.metering`). Invariant: never a prompt, an answer, code or a key; `None` is
"not reported", times are whole microseconds since 1970 in UTC.
"""

from enum import StrEnum

from msgspec import Struct, field

from gembill.model import Api, ApiError

EVENT_VERSION = 1


class Ending(StrEnum):
    """How the exchange with the upstream ended, whatever it said."""

    FINISHED = "finished"  # the answer's framing came to its end
    CUT = "cut"  # it broke off, or a cap of ours ended the reading
    UNSENT = "unsent"  # nothing could be sent upstream, or no byte of an answer came from a failed connection
    UNANSWERED = "unanswered"  # it was sent; no answer came (time-out, connection lost)
    LOST = "lost"  # this process ended before the answer did


class UnreadReason(StrEnum):
    """Why something of a body was not read. Stored as text: other versions may have other reasons."""

    MALFORMED = "malformed"  # not JSON, or not the JSON of the dialect
    ENCODING = "encoding"  # a content encoding that cannot be undone
    TOO_LARGE = "too_large"  # it inflates to more than is read
    USAGE_TOO_LARGE = "usage_too_large"
    TOO_MANY_PARTS = "too_many_parts"  # the outline ends early, the usage is whole
    TOO_MANY_SEARCHES = "too_many_searches"  # they are counted no further, the usage is whole
    RECORDER_ERROR = "recorder_error"  # a mistake of ours


class Part(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One part of an answer in outline: sizes and outcomes, never its text.

    `kind`: text, code, result, blob, function_call, function_response, tool, file, other. Neighbouring text parts of a
    candidate are one. `tool_call_as_code` names a search that poses as code (`concise_search`). `outcome` is the
    wire's word.
    """

    kind: str
    candidate: int = 0
    thought: bool = False
    id: str | None = None
    outcome: str | int | None = None
    language: str | int | None = None
    chars: int = 0
    digits: int = 0
    digest: str | None = None
    mime: str | None = None
    tool_call_as_code: str | None = field(default=None, name="dressed")  # its name in events written before 0.2


class Snapshot(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The usage as it stood when the outline had `after` parts: what a stream shows of its rounds."""

    after: int
    usage: str


class FilmRequest(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What a request for films asks for; None is "not said", which the API's defaults then decide."""

    samples: int | None = None
    seconds: int | None = None  # of each film
    resolution: str | None = None
    sound: bool | None = None


class Stored(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Tokens that the API keeps for later calls, from an instant until another, in microseconds."""

    tokens: int
    from_us: int
    until_us: int


class RequestFacts(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What the request said. `declared` is None where it cannot be known (body unread, or tools inside a cache)."""

    model: str | None = None
    agent: str | None = None
    declared: bool | None = None
    service_tier: str | None = None
    cached_content: str | None = None
    conversation: str | None = None  # the first call of its chat, or a keyed hash: c_ (until 0.2) or l_
    turns: int | None = None  # contents in the request
    previous_interaction_id: str | None = None
    unread: bool = False  # there was a body, and it is not JSON that can be read
    stream: bool = False  # the body asks for a stream, where the path does not say it
    film: FilmRequest | None = None


class ResponseFacts(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What the answer showed. `usage` is the provider's own JSON text, unread, without space between its words."""

    usage: str | None = None
    outline: tuple[Part, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    documents: int = 0
    unread: str | None = None  # why documents were not read: an `UnreadReason`, or one of another version
    model_version: str | None = None
    response_id: str | None = None
    finish_reason: str | None = None
    block_reason: str | None = None
    service_tier: str | None = None  # from the response header
    usage_tier: str | None = None  # from any usage object of the answer
    searches: int = 0  # distinct non-empty queries of web search
    grounded: bool = False  # the web was searched; in events before 0.2 also Maps, file search and URL context
    maps_searches: int = 0  # distinct queries of Maps, at least 1 where Maps were used
    fault: ApiError | None = None
    agent: str | None = None  # the agent that answered
    previous_interaction_id: str | None = None  # as the answer repeats it
    made: int | None = None  # pictures or films in an answer that lists them
    stored: Stored | None = None


class Event(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """What was seen of one call: raw usage, outline, times, labels. Never prompt, answer or code text, never a key."""

    id: str  # UUIDv7
    occurred_us: int  # the call was received
    api: Api
    operation: str  # an `Operation`, or the verb of a surface that no row names
    project: str | None = None  # of a Vertex path, as is `location`
    location: str | None = None
    streamed: bool = False
    key: str | None = None  # name or keyed fingerprint
    labels: dict[str, str] = {}
    labels_cut: bool = False  # labels over the limits were dropped or shortened
    asked: RequestFacts = RequestFacts()
    ended_us: int | None = None  # here, so that an event begins as its intent does, which the spool keeps once
    ending: Ending
    http_status: int | None = None
    seen: ResponseFacts = ResponseFacts()
    retried: int = 0  # attempts on a stale connection before this one
    natural: tuple[str, ...] = ()  # kind and parts of the natural key (contract.md, Identity); () under the spool's own
    version: int = EVENT_VERSION
