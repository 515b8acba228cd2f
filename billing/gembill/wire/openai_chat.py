"""The dialect of the OpenAI-compatible chat completions (wire.md 4, 5.1).

Owns: `usage` with `prompt_tokens`, `completion_tokens`, `total_tokens` and the two details, `model`, `id`,
`choices[].index`, `.finish_reason`, `.message` or `.delta`, `error`; of requests `model`, `messages`, `tools`,
`stream`, `service_tier`, `extra_body`. Owns no code execution: this endpoint defines none.
Invariant: reasoning is part of the completion, and added to it only where the reported total says so.
"""

from typing import Any

import msgspec

from gembill.model import Execution, Part, RequestFacts, UnreadReason
from gembill.wire import token_counts
from gembill.wire.json_text import fields, integer, items, mapping, mappings, size, value, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage


def asked(body: bytes | None, model: str | None) -> tuple[RequestFacts, bytes | None]:
    """What a completion asks for, and the bytes that name its chat: all up to the first message of the user."""
    found = fields(body) if body is not None else None
    if found is None:
        return RequestFacts(model=model), None
    messages = items(found["messages"]) or [] if "messages" in found else []
    return RequestFacts(
        model=_model(value(found.get("model"))),
        declared=_declares(found),
        service_tier=word(value(found.get("service_tier")), 64),
        turns=len(messages),
        stream=value(found.get("stream")) is True,
    ), _basis(messages)


def _model(said: object) -> str | None:
    """Vertex wants the publisher in front: `google/gemini-...`."""
    found = word(said)
    return found.removeprefix("google/") if found else None


def _declares(found: dict[str, msgspec.Raw]) -> bool:
    tools = mappings(value(found.get("tools"))) + mappings(
        mapping(mapping(value(found.get("extra_body"))).get("google")).get("tools")
    )
    return any(
        tool.get("type") == "code_execution" or tool.get(name) is not None
        for tool in tools
        for name in ("codeExecution", "code_execution")
    )


def _basis(messages: list[msgspec.Raw]) -> bytes | None:
    """The messages up to the first of the user, each in one written form."""
    taken = []
    for message in messages:
        taken.append(bytes(message))
        if mapping(value(message)).get("role") == "user":
            break
    return b"\n".join(taken) if taken else None


def observe(document: bytes, sighting: Observation) -> None:
    """Add one document of an answer: a completion, a chunk of one, or an error."""
    found = fields(document, deep=True)
    if found is None:
        sighting.unread(UnreadReason.MALFORMED)
        return
    before = sighting.parts
    sighting.word("model_version", _model(value(found.get("model"))))
    sighting.word("response_id", value(found.get("id")))
    sighting.word("service_tier", value(found.get("service_tier")))
    for position, choice in enumerate(mappings(value(found.get("choices")))):
        number = max(integer(choice.get("index", position)) or 0, 0)
        sighting.word("finish_reason", choice.get("finish_reason"))
        _message(mapping(choice.get("message") or choice.get("delta")), number, sighting)
    sighting.usage(found.get("usage"))
    sighting.fault(found.get("error"))
    sighting.document_end(before)


def _message(message: dict[str, Any], candidate: int, sighting: Observation) -> None:
    if isinstance(text := message.get("content"), str) and text:
        sighting.part(Part(kind="text", candidate=candidate, chars=size(text)))
    for _ in mappings(message.get("tool_calls")):
        sighting.part(Part(kind="function_call", candidate=candidate))


def usage(text: str) -> Usage:
    """The counts of a `usage` object; InvalidUsage if one of them is no believable number."""
    found = token_counts.parse(text)
    prompt, completion = token_counts.count(found, "prompt_tokens"), token_counts.count(found, "completion_tokens")
    total = token_counts.count(found, "total_tokens")
    reasoning = token_counts.count(mapping(found.get("completion_tokens_details")), "reasoning_tokens")
    apart = reasoning is not None and total == (prompt or 0) + (completion or 0) + reasoning
    return Usage(
        prompt=prompt,
        cached=token_counts.count(mapping(found.get("prompt_tokens_details")), "cached_tokens"),
        candidates=completion if apart or completion is None else completion - min(reasoning or 0, completion),
        thoughts=reasoning if apart or completion is None or reasoning is None else min(reasoning, completion),
        total=total,
    )


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: the endpoint defines no code execution."""
    return ()
