"""The dialect of the Live API: messages of a WebSocket (wire.md 10).

Owns: the messages `setup` and `serverContent`, the counts that are named otherwise than those of generateContent, and
which messages belong to a turn. Not here: frames of a WebSocket (`capture.websocket`). Invariant: a message adds to an
observation what it shows and nothing of its text.

A usage says what was used since the one before it in the same session: each of them is a record.
"""

from enum import Enum
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct, UnsetType

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import generate_content, token_counts
from gembill.wire.generate_content import Candidate, Content, GroundingMetadata
from gembill.wire.json_text import fields, lenient_fields, value, word
from gembill.wire.observation import Observation
from gembill.wire.request import request_facts as asked_of
from gembill.wire.shape import Shape
from gembill.wire.token_counts import Usage

_ASKING = (b"clientContent", b"client_content", b"realtimeInput", b"realtime_input", b"toolResponse", b"tool_response")


class Progress(Enum):
    """What a server's message says of the model's work."""

    NONE = "none"
    WORK = "work"  # it speaks, has understood, or calls a tool
    COUNTED = "counted"  # and this is what it used since the usage before


class _ServerContent(Struct, frozen=True, gc=False, rename="camel"):
    model_turn: Content | None = None
    grounding_metadata: GroundingMetadata | None = None
    url_context_metadata: Any = None
    interrupted: Any = None
    input_transcription: Any = None
    output_transcription: Any = None
    turn_complete: Any = None
    turn_complete_reason: Any = None


class _Message(Struct, frozen=True, gc=False, rename="camel"):
    server_content: _ServerContent | UnsetType | None = None
    tool_call: Any = None
    usage_metadata: Raw = Raw()
    error: Any = None


_messages = Shape(_Message, partial(fields, deep=True))


def is_setup(message: bytes) -> bool:
    """Whether a client's message is the one that begins a session."""
    return "setup" in (lenient_fields(message) or {})


def asks(message: bytes) -> bool:
    """Whether a client's message gives the model something to read."""
    return any(name in message for name in _ASKING)


def progress(message: bytes) -> Progress:
    """What a server's message says of the model's work. One that cannot be read may be work."""
    seen = _messages.read(message)
    if seen is None:
        return Progress.WORK
    if token_counts.has_counts(bytes(seen.usage_metadata)):
        return Progress.COUNTED
    content = seen.server_content
    spoke = isinstance(content, _ServerContent) and any(
        said is not None for said in (content.model_turn, content.input_transcription, content.output_transcription)
    )
    return Progress.WORK if spoke or seen.tool_call is not None else Progress.NONE


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What the message `setup` asks for: model and tools. A session has no conversation but itself."""
    setup = (lenient_fields(body) or {}).get("setup") if body is not None else None
    if setup is None:
        return RequestFacts(model=model, unread=body is not None), None
    named = word(value((lenient_fields(bytes(setup)) or {}).get("model")))
    facts, _ = asked_of(bytes(setup), named or model)
    return msgspec.structs.replace(facts, turns=None), None


def observe(document: bytes, observation: Observation) -> None:
    """Add a server's message to the observation of the answer."""
    message = _messages.read(document)
    if message is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    if isinstance(message.server_content, _ServerContent):
        _content(message.server_content, observation)
    if message.tool_call is not None:
        observation.add_part(Part(kind="function_call"))
    if usage_text := bytes(message.usage_metadata):
        observation.update_usage(usage_text)
    if message.error is not None:
        observation.add_error(message.error)
    observation.end_document()


def _content(content: _ServerContent, observation: Observation) -> None:
    spoken = Candidate(
        content=content.model_turn,
        index=0,
        grounding_metadata=content.grounding_metadata,
        url_context_metadata=content.url_context_metadata,
    )
    generate_content.observe_candidate(spoken, 0, observation)
    if content.interrupted:
        observation.add_word("finish_reason", "INTERRUPTED")
    elif content.turn_complete:
        observation.add_word("finish_reason", word(content.turn_complete_reason, 64) or "STOP")


def usage(text: str) -> Usage:
    """The counts of a usage; those of the answer are called `response...`. InvalidUsage if one is not a count."""
    counted = token_counts.parse(text)
    plain = generate_content.usage(text)
    said = token_counts.count(counted, "responseTokenCount")
    details = token_counts.details(counted, "responseTokensDetails")
    return msgspec.structs.replace(
        plain,
        candidates=plain.candidates if said is None else said,
        candidates_details=details or plain.candidates_details,
    )


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code that an outline shows."""
    return generate_content.executions(outline)
