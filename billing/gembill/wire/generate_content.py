"""The dialect of generateContent and streamGenerateContent (wire.md 1 and 3).

Owns: the fields `candidates` (`content.parts`, `finishReason`, `groundingMetadata`, `index`), `usageMetadata`,
`modelVersion`, `responseId`, `promptFeedback`, `error`. Not here: the request's fields (`request`), and what a count
means for money (`rules`).
Invariant: a document adds to an observation what it shows and nothing of its text.
"""

from typing import Any

from gembill.event import Part, UnreadReason
from gembill.model import Execution, Outcome
from gembill.wire import execution, tiers, token_counts
from gembill.wire.json_text import fields, integer, mapping, mappings, size, value, word
from gembill.wire.observation import Observation
from gembill.wire.request import request_facts
from gembill.wire.token_counts import Usage

__all__ = ["executions", "observe", "request_facts", "usage"]

_FINISH = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")  # then the APIs differ
_KINDS = {
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "toolCall": "tool",
    "toolResponse": "tool",
    "fileData": "file",
}
_WEB = ("web", "image")  # the sources of a search of the web
_OUTCOMES: dict[str | int, Outcome] = {
    "OUTCOME_OK": Outcome.OK,
    "OUTCOME_FAILED": Outcome.FAILED,
    "OUTCOME_DEADLINE_EXCEEDED": Outcome.DEADLINE_EXCEEDED,
    1: Outcome.OK,
    2: Outcome.FAILED,
    3: Outcome.DEADLINE_EXCEEDED,
}


def observe(document: bytes, observation: Observation) -> None:
    """Add one JSON document of an answer to the observation of it."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    parts_before = observation.part_count
    for name, field in (("model_version", "modelVersion"), ("response_id", "responseId")):
        observation.add_word(name, value(members.get(field)))
    candidates = value(members.get("candidates"))
    if candidates is None and bytes(members.get("candidates", b"null")) != b"null":
        observation.mark_unread(UnreadReason.MALFORMED)
    for position, candidate in enumerate(mappings(candidates)):
        _candidate(candidate, candidate.get("index", position), observation)
    if "promptFeedback" in members:
        observation.add_word("block_reason", mapping(value(members["promptFeedback"])).get("blockReason"))
    observation.update_usage(members.get("usageMetadata"))
    observation.add_word("usage_tier", _tier(mapping(value(members.get("usageMetadata")))))
    observation.add_error(value(members.get("error")))
    observation.end_document(parts_before)


def _candidate(candidate: dict[str, Any], index: object, observation: Observation) -> None:
    number = max(integer(index) or 0, 0)
    for part in mappings(mapping(candidate.get("content")).get("parts")):
        observation.add_part(_part(part, number))
    reason = candidate.get("finishReason")
    if isinstance(reason, int) and 0 <= reason < len(_FINISH):
        reason = _FINISH[reason]
    observation.add_word("finish_reason", reason)
    _grounding(mapping(candidate.get("groundingMetadata")), observation)
    if candidate.get("urlContextMetadata"):
        observation.mark_fetched()


def _grounding(metadata: dict[str, Any], observation: Observation) -> None:
    """Which tools an answer used (wire.md 6.5). File search and other retrieval cite `retrievedContext`: no fee."""
    cited = {
        kind
        for chunk in mappings(metadata.get("groundingChunks"))
        for kind, source in chunk.items()
        if source is not None
    }
    images = metadata.get("imageSearchQueries")
    observation.add_grounding(
        metadata.get("webSearchQueries"),
        searched=bool(metadata.get("searchEntryPoint")),
        web=not cited.isdisjoint(_WEB),
        maps="maps" in cited or bool(metadata.get("googleMapsWidgetContextToken")),
    )
    observation.add_grounding(images, searched=bool(images))


def _part(part: dict[str, Any], candidate: int) -> Part:
    thought = part.get("thought") is True
    if isinstance(code := part.get("executableCode"), dict):
        text = _text(code.get("code"))
        return Part(
            kind="code",
            candidate=candidate,
            thought=thought,
            id=word(code.get("id")),
            language="PYTHON" if code.get("language") == 1 else word(code.get("language"), 32),
            chars=size(text),
            digest=execution.digest(text),
            tool_call_as_code=execution.tool_call_as_code(text),
        )
    if isinstance(result := part.get("codeExecutionResult"), dict):
        text, outcome = _text(result.get("output")), result.get("outcome")
        return Part(
            kind="result",
            candidate=candidate,
            thought=thought,
            id=word(result.get("id")),
            outcome=word(outcome, 64) if integer(outcome) is None else integer(outcome),
            chars=size(text),
            digits=execution.digits(text),
        )
    if isinstance(blob := part.get("inlineData"), dict):
        mime, length = word(blob.get("mimeType"), 128), size(blob.get("data")) * 3 // 4
        return Part(kind="blob", candidate=candidate, thought=thought, mime=mime, chars=length)
    if isinstance(part.get("text"), str):
        return Part(kind="text", candidate=candidate, thought=thought, chars=size(part["text"]))
    return Part(kind=next((kind for name, kind in _KINDS.items() if name in part), "other"), candidate=candidate)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def usage(text: str) -> Usage:
    """The counts of a `usageMetadata` object; InvalidUsage if one of them is not a count (wire.md 1.1)."""
    counts = token_counts.parse(text)
    return Usage(
        prompt=token_counts.count(counts, "promptTokenCount"),
        cached=token_counts.count(counts, "cachedContentTokenCount"),
        tool_use=token_counts.count(counts, "toolUsePromptTokenCount"),
        candidates=token_counts.count(counts, "candidatesTokenCount"),
        thoughts=token_counts.count(counts, "thoughtsTokenCount"),
        total=token_counts.count(counts, "totalTokenCount"),
        prompt_details=token_counts.details(counts, "promptTokensDetails"),
        cached_details=token_counts.details(counts, "cacheTokensDetails"),
        tool_use_details=token_counts.details(counts, "toolUsePromptTokensDetails"),
        candidates_details=token_counts.details(counts, "candidatesTokensDetails"),
        service_tier=_tier(counts),
    )


def _tier(usage: dict[str, Any]) -> str | None:
    """The served tier: `serviceTier` of the Developer API, `trafficType` of Vertex (wire.md 1.6, 1.8)."""
    return tiers.reported(usage.get("serviceTier"), usage.get("trafficType"))


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code an outline shows (wire.md 3)."""
    return execution.executions(outline, _OUTCOMES)
