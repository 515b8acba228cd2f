"""The dialect of surfaces that no dialect was written for: a usage is read by the form it has (wire.md 5.1).

Owns: which form a usage object has, and the form with `input_tokens` and `output_tokens` that two providers share. The
other forms are those of their own dialects. Invariant: a usage of no known form has no count, and is never guessed.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import generate_content, interactions, openai_chat, token_counts
from gembill.wire.json_text import fields, lenient_fields, mapping, value, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage

_WRAPPERS = ("response", "message", "interaction")  # events of streams hold what they tell of one level down
_GEMINI = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount")


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What a request says of itself, where it is JSON: model, tier, and whether it wants a stream."""
    members = lenient_fields(body)
    said = members or {}
    return RequestFacts(
        unread=members is None and body is not None,
        model=model or word(value(said.get("model"))),
        service_tier=word(value(said.get("service_tier")), 64),
        stream=value(said.get("stream")) is True,
    ), None


def observe(document: bytes, observation: Observation) -> None:
    """Add one document of an answer: its usage, wherever it stands, its model, its id, its error."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    if "usageMetadata" in members or "candidates" in members:
        generate_content.observe(document, observation)
        return
    for level in (*(_inner(members, name) for name in _WRAPPERS), members):
        observation.add_word("model_version", value(level.get("model")))
        observation.add_word("response_id", value(level.get("id")))
        observation.update_usage(level.get("usage"))
    observation.add_error(value(members.get("error")))
    observation.end_document()


def usage(text: str) -> Usage:
    """The counts of a usage object of any known form; InvalidUsage if one of them is not a believable number."""
    members = token_counts.parse(text)
    if any(name in members for name in _GEMINI):
        return generate_content.usage(text)
    if "total_input_tokens" in members or "total_output_tokens" in members:
        return interactions.usage(text)
    if "prompt_tokens" in members or "completion_tokens" in members:
        return openai_chat.usage(text)
    return _input_and_output(members)


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code that an outline shows."""
    return generate_content.executions(outline)


def _input_and_output(members: Mapping[str, Any]) -> Usage:
    """`input_tokens` and `output_tokens`: with details and a total (OpenAI's responses), or with cache counts beside
    the input, which then leaves them out (Anthropic's messages)."""
    prompt, output = token_counts.count(members, "input_tokens"), token_counts.count(members, "output_tokens")
    read = token_counts.count(members, "cache_read_input_tokens")
    written = token_counts.count(members, "cache_creation_input_tokens")
    of_input, of_output = mapping(members.get("input_tokens_details")), mapping(members.get("output_tokens_details"))
    reasoning = token_counts.count(of_output, "reasoning_tokens")
    beside = (read or 0) + (written or 0)
    cached = token_counts.count(of_input, "cached_tokens")
    candidates = output if output is None else output - min(reasoning or 0, output)
    total = token_counts.count(members, "total_tokens")
    if total is None and prompt is not None:
        total = prompt + beside + (output or 0)
    return Usage(
        prompt=None if prompt is None else prompt + beside,
        cached=read if cached is None else cached,
        prompt_details=token_counts.named_details(of_input, prompt),
        candidates=candidates,
        candidates_details=token_counts.named_details(of_output, candidates),
        thoughts=reasoning if output is None or reasoning is None else min(reasoning, output),
        total=total,
    )


def _inner(members: Mapping[str, msgspec.Raw], name: str) -> Mapping[str, msgspec.Raw]:
    return fields(bytes(members[name])) or {} if name in members else {}
