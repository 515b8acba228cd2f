"""The dialect of generateContent and streamGenerateContent (wire.md 1 and 3).

Owns: the fields `candidates` (`content.parts`, `finishReason`, `groundingMetadata`, `index`), `usageMetadata`,
`modelVersion`, `responseId`, `promptFeedback`, `error`; `request` has what is asked. Owns no rule of what a count means
for money.
Invariant: a document adds to a sighting what it shows and nothing of its text.
"""

from typing import Any

from gembill.model import Execution, Outcome, Part, UnreadReason
from gembill.wire import execution, token_counts
from gembill.wire.json_text import fields, integer, mapping, mappings, size, value, word
from gembill.wire.observation import Observation
from gembill.wire.request import asked
from gembill.wire.token_counts import Usage

__all__ = ["asked", "executions", "observe", "usage"]

_FINISH = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")  # then the APIs differ
_KINDS = {
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "toolCall": "tool",
    "toolResponse": "tool",
    "fileData": "file",
}
_OUTCOMES: dict[str | int, Outcome] = {
    "OUTCOME_OK": Outcome.OK,
    "OUTCOME_FAILED": Outcome.FAILED,
    "OUTCOME_DEADLINE_EXCEEDED": Outcome.DEADLINE_EXCEEDED,
    1: Outcome.OK,
    2: Outcome.FAILED,
    3: Outcome.DEADLINE_EXCEEDED,
}
_TIERS = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak",
    "PROVISIONED_THROUGHPUT": "provisioned",
    1: "standard",
    2: "provisioned",
}


def observe(document: bytes, sighting: Observation) -> None:
    """Add one JSON document of an answer to what is seen of it."""
    found = fields(document, deep=True)
    if found is None:
        sighting.unread(UnreadReason.MALFORMED)
        return
    before = sighting.parts
    for name, field in (("model_version", "modelVersion"), ("response_id", "responseId")):
        sighting.word(name, value(found.get(field)))
    candidates = value(found.get("candidates"))
    if candidates is None and bytes(found.get("candidates", b"null")) != b"null":
        sighting.unread(UnreadReason.MALFORMED)
    for position, candidate in enumerate(mappings(candidates)):
        _candidate(candidate, candidate.get("index", position), sighting)
    if "promptFeedback" in found:
        sighting.word("block_reason", mapping(value(found["promptFeedback"])).get("blockReason"))
    sighting.usage(found.get("usageMetadata"))
    sighting.fault(found.get("error"))
    sighting.document_end(before)


def _candidate(candidate: dict[str, Any], index: object, sighting: Observation) -> None:
    number = max(integer(index) or 0, 0)
    for part in mappings(mapping(candidate.get("content")).get("parts")):
        sighting.part(_part(part, number))
    reason = candidate.get("finishReason")
    if isinstance(reason, int) and 0 <= reason < len(_FINISH):
        reason = _FINISH[reason]
    sighting.word("finish_reason", reason)
    grounding = mapping(candidate.get("groundingMetadata"))
    queries = grounding.get("webSearchQueries")
    for query in queries if isinstance(queries, list) else ():
        sighting.search(query)
    if grounding.get("groundingChunks"):
        sighting.grounded()


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


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def usage(text: str) -> Usage:
    """The counts of a `usageMetadata` object; InvalidUsage if one of them is no believable number (1.1)."""
    found = token_counts.parse(text)
    return Usage(
        prompt=token_counts.count(found, "promptTokenCount"),
        cached=token_counts.count(found, "cachedContentTokenCount"),
        tool_use=token_counts.count(found, "toolUsePromptTokenCount"),
        candidates=token_counts.count(found, "candidatesTokenCount"),
        thoughts=token_counts.count(found, "thoughtsTokenCount"),
        total=token_counts.count(found, "totalTokenCount"),
        prompt_details=token_counts.details(found, "promptTokensDetails"),
        cached_details=token_counts.details(found, "cacheTokensDetails"),
        tool_use_details=token_counts.details(found, "toolUsePromptTokensDetails"),
        candidates_details=token_counts.details(found, "candidatesTokensDetails"),
        service_tier=_tier(found),
    )


def _tier(usage: dict[str, Any]) -> str | None:
    """The served tier: `serviceTier` of the Developer API, `trafficType` of Vertex (1.6, 1.8)."""
    traffic = usage.get("trafficType")
    said = usage.get("serviceTier")
    if isinstance(said, str):
        return word(said, 64)
    return _TIERS.get(traffic) if isinstance(traffic, str | int) else None


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code an outline shows (3)."""
    return execution.executions(outline, _OUTCOMES)
