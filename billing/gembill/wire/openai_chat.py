"""The dialect of the OpenAI-compatible chat completions (wire.md 4, 5.1).

Owns: `usage` with `prompt_tokens`, `completion_tokens`, `total_tokens` and the two details (cached, reasoning, and
tokens of sound and pictures), `model`, `id`,
`choices[].index`, `.finish_reason`, `.message` or `.delta`, `error`; of requests `model`, `messages`, `tools`,
`stream`, `service_tier`, `extra_body`. Not here: code execution, which this endpoint does not define.
Invariant: reasoning is part of the completion, unless the reported total shows that it is beside it.
"""

from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import tiers, token_counts
from gembill.wire.json_text import either, fields, integer, items, lenient_fields, mapping, mappings, size, value, word
from gembill.wire.observation import Observation
from gembill.wire.shape import Shape
from gembill.wire.token_counts import Usage
from gembill.wire.turns import Said, Turns, turns


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, Turns | None]:
    """What a completion asks for, and digests of the turns that it repeats."""
    members = lenient_fields(body)
    if members is None:
        return RequestFacts(model=model, unread=body is not None), None
    messages = items(members["messages"]) or [] if "messages" in members else []
    return RequestFacts(
        model=_model(value(members.get("model"))),
        declared=_declares_code_execution(members),
        service_tier=word(value(either(members, "service_tier", "serviceTier")), 64),
        turns=len(messages),
        stream=value(members.get("stream")) is True,
    ), turns(messages, _read)


def _model(name: object) -> str | None:
    """Vertex wants the publisher in front: `google/gemini-...`."""
    model = word(name)
    return model.removeprefix("google/") if model else None


def _declares_code_execution(members: dict[str, msgspec.Raw]) -> bool:
    extra = mapping(value(either(members, "extra_body", "extraBody")))
    tools = mappings(value(members.get("tools")))
    for google in (mapping(extra.get("google")), mapping(value(members.get("google")))):
        tools += mappings(google.get("tools"))
    return any(
        tool.get("type") == "code_execution" or tool.get(name) is not None
        for tool in tools
        for name in ("codeExecution", "code_execution")
    )


def _read(message: msgspec.Raw, said: Said | None) -> bool:
    """Whether a message is the model's; its text is added to what it said. Calls of functions come in pieces."""
    members = mapping(value(message))
    if members.get("role") != "assistant":
        return False
    if said is not None and isinstance(text := members.get("content"), str):
        said.add_text(text)
    return True


class _Completion(Struct, frozen=True, gc=False):
    model: Any = None
    id: Any = None
    service_tier: Any = None
    choices: Any = None
    usage: Raw = Raw()
    error: Any = None


_completions = Shape(_Completion, partial(fields, deep=True))


def observe(document: bytes, observation: Observation) -> None:
    """Add one document of an answer: a completion, a chunk of one, or an error."""
    shown = _completions.read(document)
    if shown is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    observation.add_word("model_version", _model(shown.model))
    observation.add_word("response_id", shown.id)
    observation.add_word("service_tier", shown.service_tier)
    for position, choice in enumerate(mappings(shown.choices)):
        number = max(integer(choice.get("index", position)) or 0, 0)
        observation.add_word("finish_reason", choice.get("finish_reason"))
        _message(mapping(choice.get("message") or choice.get("delta")), number, observation)
    if usage_text := bytes(shown.usage):
        observation.update_usage(usage_text)
        if tiers.may_be_named(usage_text):
            observation.add_word("usage_tier", _tier(mapping(value(usage_text))))
    observation.add_error(shown.error)
    observation.end_document()


def _message(message: dict[str, Any], candidate: int, observation: Observation) -> None:
    if isinstance(text := message.get("content"), str) and text:
        observation.add_text(size(text), candidate)
        if not candidate:
            observation.said.add_text(text)
    for _ in mappings(message.get("tool_calls")):
        observation.add_part(Part(kind="function_call", candidate=candidate))


def usage(text: str) -> Usage:
    """The counts of a `usage` object; InvalidUsage if one of them is not a count."""
    counts = token_counts.parse(text)
    prompt, completion = token_counts.count(counts, "prompt_tokens"), token_counts.count(counts, "completion_tokens")
    total = token_counts.count(counts, "total_tokens")
    read, written = mapping(counts.get("prompt_tokens_details")), mapping(counts.get("completion_tokens_details"))
    reasoning = token_counts.count(written, "reasoning_tokens")
    beside = _beside(prompt, completion, total)
    output = completion if prompt is None and completion is None else (completion or 0) + beside
    thoughts = None if output is None or not (beside or reasoning) else max(beside, min(reasoning or 0, output))
    candidates = None if completion is None else (output or 0) - (thoughts or 0)
    return Usage(
        prompt=prompt,
        cached=token_counts.count(read, "cached_tokens"),
        prompt_details=token_counts.named_details(read, prompt),
        candidates=candidates,
        candidates_details=token_counts.named_details(written, candidates),
        thoughts=reasoning if thoughts is None and output is not None else thoughts,
        total=total,
        hidden=0 if beside == (reasoning or 0) else beside,
        service_tier=_tier(counts),
    )


def _beside(prompt: int | None, completion: int | None, total: int | None) -> int:
    """Tokens of the total that neither prompt nor completion counts: thinking, as far as is known (5.1)."""
    return 0 if prompt is None or total is None else max(total - prompt - (completion or 0), 0)


def _tier(usage: dict[str, Any]) -> str | None:
    """The served tier, which Vertex reports as the traffic type of its own APIs (5.1)."""
    google = mapping(mapping(usage.get("extra_properties")).get("google"))
    return tiers.reported(usage.get("service_tier"), google.get("traffic_type", google.get("trafficType")))


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: the endpoint defines no code execution."""
    return ()
