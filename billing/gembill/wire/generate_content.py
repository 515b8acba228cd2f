"""The dialect of generateContent and streamGenerateContent (wire.md 1 and 3).

Owns: the fields `candidates` (`content.parts`, `finishReason`, `groundingMetadata`, `index`), `usageMetadata`,
`modelVersion`, `responseId`, `promptFeedback`, `error`. Not here: the request's fields (`request`), and what a count
means for money (`rules`).
Invariant: a document adds to an observation what it shows and nothing of its text.
"""

from functools import partial
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from gembill.event import Part, UnreadReason
from gembill.model import Execution, Outcome
from gembill.wire import execution, tiers, token_counts
from gembill.wire.json_text import fields, integer, mapping, size, value, word
from gembill.wire.observation import Observation
from gembill.wire.request import request_facts
from gembill.wire.shape import Shape
from gembill.wire.token_counts import Usage

__all__ = ["executions", "observe", "request_facts", "usage"]

_FINISH = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")  # then the APIs differ
_COUNTS = (
    *("promptTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount"),
    *("candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
)
_OUTCOMES: dict[str | int, Outcome] = {
    "OUTCOME_OK": Outcome.OK,
    "OUTCOME_FAILED": Outcome.FAILED,
    "OUTCOME_DEADLINE_EXCEEDED": Outcome.DEADLINE_EXCEEDED,
    1: Outcome.OK,
    2: Outcome.FAILED,
    3: Outcome.DEADLINE_EXCEEDED,
}


class _Code(Struct, frozen=True, gc=False):
    id: Any = None
    language: Any = None
    code: Any = None


class _Result(Struct, frozen=True, gc=False):
    id: Any = None
    outcome: Any = None
    output: Any = None


class _Blob(Struct, frozen=True, gc=False):
    mime: Any = field(default=None, name="mimeType")
    data: Any = None


class _Unread(Struct, frozen=True, gc=False):
    """A member of which only its being there counts, be it null."""


class _Call(Struct, frozen=True, gc=False):
    name: Any = None
    args: Any = None


class _Part(Struct, frozen=True, gc=False, rename="camel"):
    text: Any = None
    thought: Any = None
    thought_signature: Any = None
    executable_code: _Code | None = None
    code_execution_result: _Result | None = None
    inline_data: _Blob | None = None
    function_call: _Call | UnsetType | None = UNSET
    function_response: _Unread | UnsetType | None = UNSET
    tool_call: _Unread | UnsetType | None = UNSET
    tool_response: _Unread | UnsetType | None = UNSET
    file_data: _Blob | UnsetType | None = UNSET


class Content(Struct, frozen=True, gc=False):
    """What was said: its parts."""

    parts: list[_Part] | None = None


class _Chunk(Struct, frozen=True, gc=False):
    web: Any = None
    image: Any = None
    maps: Any = None


class GroundingMetadata(Struct, frozen=True, gc=False, rename="camel"):
    """Which tools an answer used, and what it cites."""

    grounding_chunks: list[_Chunk] | None = None
    web_search_queries: Any = None
    image_search_queries: Any = None
    search_entry_point: Any = None
    google_maps_widget_context_token: Any = None


class Candidate(Struct, frozen=True, gc=False, rename="camel"):
    """One of the answers to a prompt."""

    content: Content | None = None
    index: Any = UNSET
    finish_reason: Any = None
    grounding_metadata: GroundingMetadata | None = None
    url_context_metadata: Any = None


class _Feedback(Struct, frozen=True, gc=False, rename="camel"):
    block_reason: Any = None


class _Answer(Struct, frozen=True, gc=False, rename="camel"):
    candidates: list[Candidate] | UnsetType | None = None
    usage_metadata: Raw = Raw()
    model_version: Any = None
    response_id: Any = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


_answers = Shape(_Answer, partial(fields, deep=True))


def observe(document: bytes, observation: Observation) -> None:
    """Add one JSON document of an answer to the observation of it."""
    answer = _answers.read(document)
    if answer is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    observation.add_word("model_version", answer.model_version)
    observation.add_word("response_id", answer.response_id)
    if answer.candidates is UNSET:
        observation.mark_unread(UnreadReason.MALFORMED)
    for position, candidate in enumerate(answer.candidates or ()):
        observe_candidate(candidate, position, observation)
    if answer.prompt_feedback is not None:
        observation.add_word("block_reason", answer.prompt_feedback.block_reason)
    if usage_text := bytes(answer.usage_metadata):
        observation.update_usage(usage_text)
        if tiers.may_be_named(usage_text):
            observation.add_word("usage_tier", _tier(mapping(value(usage_text))))
    if answer.error is not None:
        observation.add_error(answer.error)
    observation.end_document()


def observe_candidate(candidate: Candidate, position: int, observation: Observation) -> None:
    """Add what one answer to a prompt shows; `position` is its number where it does not say one."""
    index = position if candidate.index is UNSET else candidate.index
    number = index if type(index) is int and 0 <= index < 2**63 else 0
    if candidate.content is not None:
        for part in candidate.content.parts or ():
            _part(part, number, observation)
    if (reason := candidate.finish_reason) is not None:
        known = isinstance(reason, int) and 0 <= reason < len(_FINISH)
        observation.add_word("finish_reason", _FINISH[reason] if known else reason)
    if candidate.grounding_metadata is not None:
        _grounding(candidate.grounding_metadata, observation)
    if candidate.url_context_metadata:
        observation.mark_fetched()


def _grounding(metadata: GroundingMetadata, observation: Observation) -> None:
    """Which tools an answer used (wire.md 6.5). File search and other retrieval cite `retrievedContext`: no fee."""
    cited = metadata.grounding_chunks or ()
    observation.add_grounding(
        metadata.web_search_queries,
        searched=bool(metadata.search_entry_point),
        web=any(chunk.web is not None or chunk.image is not None for chunk in cited),
        maps=any(chunk.maps is not None for chunk in cited) or bool(metadata.google_maps_widget_context_token),
    )
    images = metadata.image_search_queries
    observation.add_grounding(images, searched=bool(images))


def _part(part: _Part, candidate: int, observation: Observation) -> None:
    thought = part.thought is True
    if part.thought_signature is not None and not candidate:
        observation.said.add_signature(part.thought_signature)
    if part.executable_code is not None:
        observation.add_part(_code(part.executable_code, candidate, thought=thought))
    elif part.code_execution_result is not None:
        observation.add_part(_result(part.code_execution_result, candidate, thought=thought))
    elif (blob := part.inline_data) is not None:
        mime, length = word(blob.mime, 128), size(blob.data) * 3 // 4
        observation.add_part(Part(kind="blob", candidate=candidate, thought=thought, mime=mime, chars=length))
    elif isinstance(part.text, str):
        observation.add_text(size(part.text), candidate, thought=thought)
        if not candidate and not thought:
            observation.said.add_text(part.text)
    else:
        observation.add_part(Part(kind=_kind(part), candidate=candidate, mime=_file_mime(part)))
        if not candidate and isinstance(part.function_call, _Call):
            observation.said.add_call(part.function_call.name, part.function_call.args)


def _code(code: _Code, candidate: int, *, thought: bool) -> Part:
    text = _text(code.code)
    return Part(
        kind="code",
        candidate=candidate,
        thought=thought,
        id=word(code.id),
        language="PYTHON" if code.language == 1 else word(code.language, 32),
        chars=size(text),
        digest=execution.digest(text),
        tool_call_as_code=execution.tool_call_as_code(text),
    )


def _result(result: _Result, candidate: int, *, thought: bool) -> Part:
    text, number = _text(result.output), integer(result.outcome)
    return Part(
        kind="result",
        candidate=candidate,
        thought=thought,
        id=word(result.id),
        outcome=word(result.outcome, 64) if number is None else number,
        chars=size(text),
        digits=execution.digits(text),
    )


def _kind(part: _Part) -> str:
    if part.function_call is not UNSET:
        return "function_call"
    if part.function_response is not UNSET:
        return "function_response"
    if part.tool_call is not UNSET or part.tool_response is not UNSET:
        return "tool"
    return "other" if part.file_data is UNSET else "file"


def _file_mime(part: _Part) -> str | None:
    return word(part.file_data.mime, 128) if isinstance(part.file_data, _Blob) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def usage(text: str) -> Usage:
    """The counts of a `usageMetadata` object; InvalidUsage if one of them is not a count (wire.md 1.1)."""
    reported = token_counts.parse(text)
    prompt, cached, tool_use, candidates, thoughts, total = token_counts.counts(reported, _COUNTS)
    return Usage(
        prompt=prompt,
        cached=cached,
        tool_use=tool_use,
        candidates=candidates,
        thoughts=thoughts,
        total=total,
        prompt_details=token_counts.details(reported, "promptTokensDetails"),
        cached_details=token_counts.details(reported, "cacheTokensDetails"),
        tool_use_details=token_counts.details(reported, "toolUsePromptTokensDetails"),
        candidates_details=token_counts.details(reported, "candidatesTokensDetails"),
        service_tier=_tier(reported),
    )


def _tier(usage: dict[str, Any]) -> str | None:
    """The served tier: `serviceTier` of the Developer API, `trafficType` of Vertex (wire.md 1.6, 1.8)."""
    return tiers.reported(usage.get("serviceTier"), usage.get("trafficType"))


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code an outline shows (wire.md 3)."""
    return execution.executions(outline, _OUTCOMES)
