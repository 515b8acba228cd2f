"""The dialect of generateContent and streamGenerateContent (gemini-api.md 1 and 3).

Owns: the fields `candidates` (`content.parts`, `finishReason`, `groundingMetadata`, `index`), `usageMetadata`,
`modelVersion`, `responseId`, `promptFeedback`, `error`. Owns no rule of what a count means for money.
Invariant: a document adds to a sighting what it shows and nothing of its text.
"""

import re
from hashlib import sha256
from typing import Any

from billing.model import Execution, Outcome, Part
from billing.wire import count
from billing.wire.count import Usage
from billing.wire.json_text import fields, integer, mapping, mappings, size, value, word
from billing.wire.sighting import Sighting

_FINISH = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")  # then the APIs differ
_DRESSED = re.compile(r"\s*(?:print\()?(concise_search|default_api)\b")
_DIGITS = re.compile(r"\d")
_KINDS = {
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "toolCall": "tool",
    "toolResponse": "tool",
    "fileData": "file",
}
_OUTCOMES = {
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


def observe(document: bytes, sighting: Sighting) -> None:
    """Add one JSON document of an answer to what is seen of it."""
    found = fields(document)
    if found is None:
        sighting.unread("malformed")
        return
    before = sighting.parts
    for name, field in (("model_version", "modelVersion"), ("response_id", "responseId")):
        sighting.word(name, value(found.get(field)))
    for position, candidate in enumerate(mappings(value(found.get("candidates")))):
        _candidate(candidate, candidate.get("index", position), sighting)
    if "promptFeedback" in found:
        sighting.word("block_reason", mapping(value(found["promptFeedback"])).get("blockReason"))
    sighting.usage(found.get("usageMetadata"))
    sighting.fault(found.get("error"))
    sighting.document_end(before)


def _candidate(candidate: dict[str, Any], index: object, sighting: Sighting) -> None:
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
        dressed = _DRESSED.match(text)
        return Part(
            kind="code",
            candidate=candidate,
            thought=thought,
            id=word(code.get("id")),
            language="PYTHON" if code.get("language") == 1 else word(code.get("language"), 32),
            chars=size(text),
            digest=sha256(text.encode("utf-8", "replace")).hexdigest()[:16],
            dressed=dressed[1] if dressed else None,
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
            digits=len(_DIGITS.findall(text)) if size(text) == len(text) else 0,  # those of an elided text are lost
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
    found = count.parse(text)
    return Usage(
        prompt=count.count(found, "promptTokenCount"),
        cached=count.count(found, "cachedContentTokenCount"),
        tool_use=count.count(found, "toolUsePromptTokenCount"),
        candidates=count.count(found, "candidatesTokenCount"),
        thoughts=count.count(found, "thoughtsTokenCount"),
        total=count.count(found, "totalTokenCount"),
        prompt_details=count.details(found, "promptTokensDetails"),
        cached_details=count.details(found, "cacheTokensDetails"),
        tool_use_details=count.details(found, "toolUsePromptTokensDetails"),
        candidates_details=count.details(found, "candidatesTokensDetails"),
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
    """The runs of generated code an outline shows: one for each result, and an unknown one for code without (3).

    A result belongs to the code of the same id, else to the code before it in its candidate. A search that poses as
    code, and its result, are no execution (1.4 e).
    """
    found: list[Execution] = []
    waiting: dict[int, list[Part]] = {}
    for part in outline:
        queue = waiting.setdefault(part.candidate, [])
        if part.kind == "code":
            queue.append(part)
        elif part.kind == "result":
            code = _partner(queue, part)
            if code is None or code.dressed is None:
                found.append(_execution(code, part))
    found += [_execution(code, None) for queue in waiting.values() for code in queue if code.dressed is None]
    return tuple(found)


def _partner(queue: list[Part], result: Part) -> Part | None:
    named = next((code for code in queue if code.id is not None and code.id == result.id), None)
    code = named or next((code for code in reversed(queue) if code.id is None or result.id is None), None)
    if code is not None:
        queue.remove(code)
    return code


def _execution(code: Part | None, result: Part | None) -> Execution:
    return Execution(
        outcome=_OUTCOMES.get(result.outcome, Outcome.UNKNOWN) if result and result.outcome else Outcome.UNKNOWN,
        part_id=code.id if code else result.id if result else None,
        language=str(code.language).lower() if code and code.language else None,
        code_chars=code.chars if code else None,
        result_chars=result.chars if result else None,
        result_digits=result.digits if result else 0,
    )
