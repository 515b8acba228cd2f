"""The dialect of the Interactions API (wire.md 2), in its new schema and its old one.

Owns: of a resource `id`, `status`, `model`, `agent`, `agent_config.model`, `service_tier`, `previous_interaction_id`,
`errors`, `usage` and `steps` (once `outputs`); of stream events `event_type`, `interaction`, `index`, `step`,
`content`, `delta`, `status`, `usage`, `metadata`, `error`; of requests what `asked` reads. Which schema it is, is told
by the body alone, never by a header (2.8). Owns no meaning of a step (`step`) and no natural key.
Invariant: what an answer repeats of its own steps is seen once, and a running usage gives way to the last one.
"""

from typing import Any

import msgspec

from gembill.model import Execution, Outcome, Part, RequestFacts, UnreadReason
from gembill.wire import execution, interaction_steps, token_counts
from gembill.wire.json_text import fields, mapping, mappings, value, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage, Usage

RUNNING = frozenset(("in_progress", "queued"))
"""The states of an interaction whose usage, if it has any, is not its last."""

_GROUNDING = ("google_search", "google_maps")
_OUTCOMES: dict[str | int, Outcome] = {interaction_steps.OK: Outcome.OK, interaction_steps.ERROR: Outcome.FAILED}
_WORDS = (
    ("response_id", "id"),
    ("finish_reason", "status"),
    ("model_version", "model"),
    ("agent", "agent"),
    ("service_tier", "service_tier"),
    ("previous_interaction_id", "previous_interaction_id"),
)

_Fields = dict[str, msgspec.Raw]


def asked(body: bytes | None, model: str | None) -> tuple[RequestFacts, bytes | None]:
    """What the creation of an interaction asks for (2.2). It names its conversation itself, so there is no basis.

    Agents run code unasked, and a continued hop has its tools from the one before: unless said, that is not known.
    """
    found = fields(body) if body is not None else None
    if found is None:
        return RequestFacts(model=model), None
    agent, config = word(value(found.get("agent"))), mapping(value(found.get("agent_config")))
    tools = mappings(value(found.get("tools")))
    cached = word(value(found.get("cached_content")))
    unknown = agent or cached or "continuation_token" in found
    return RequestFacts(
        model=word(value(found.get("model"))) or word(config.get("model")),
        agent=agent,
        declared=True if any(t.get("type") == "code_execution" for t in tools) else None if unknown else False,
        service_tier=word(value(found.get("service_tier")), 64),
        cached_content=cached,
        turns=1,  # the ones before are the server's to know
        previous_interaction_id=word(value(found.get("previous_interaction_id"))),
        stream=value(found.get("stream")) is True,
    ), None


def observe(document: bytes, sighting: Observation) -> None:
    """Add one document of an answer: a resource, an event of a stream, or an error."""
    found = fields(document, deep=True)
    if found is None:
        sighting.unread(UnreadReason.MALFORMED)
        return
    before = sighting.parts
    if "event_type" in found or "interaction" in found:
        _event(found, sighting)
    else:
        _resource(found, sighting)
    sighting.fault(found.get("error"))
    sighting.document_end(before)


def _event(found: _Fields, sighting: Observation) -> None:
    """An event of a stream (2.6). Names may change once more: what an event holds says what it is."""
    if (inner := fields(bytes(found.get("interaction", b"")), deep=True)) is not None:
        _resource(inner, sighting)
    elif "status" in found:
        sighting.word("finish_reason", value(found["status"]))
    sighting.word("response_id", value(found.get("interaction_id")))
    index, begun = value(found.get("index")), value(found.get("step", found.get("content")))
    if isinstance(begun, dict):
        _step(begun, sighting, place=index)
    delta = value(found.get("delta"))
    if isinstance(delta, dict):
        _delta(delta, index, sighting)
    metadata = fields(bytes(found.get("metadata", b""))) or {}
    for running in (metadata.get("usage"), metadata.get("total_usage"), found.get("usage")):
        sighting.usage(running)


def _delta(delta: dict[str, Any], index: object, sighting: Observation) -> None:
    """A piece of a step: of code and results it completes the part that is there, of text it is one more."""
    open_part = sighting.at(index)
    if open_part is not None and open_part.kind in ("code", "result"):
        sighting.amend(index, interaction_steps.completed(open_part, delta))
        return
    _searches(delta, sighting)
    for part in interaction_steps.delta(delta):
        sighting.part(part, place=index)


def _resource(found: _Fields, sighting: Observation) -> None:
    for name, field in _WORDS:
        sighting.word(name, value(found.get(field)))
    if "model" not in found:
        sighting.word("model_version", mapping(value(found.get("agent_config"))).get("model"))
    if not sighting.parts:  # the last event of a stream may repeat what the stream showed
        for shown in mappings(value(found.get("steps", found.get("outputs")))):
            _step(shown, sighting)
    sighting.usage(found.get("usage"))
    errors = value(found.get("errors"))
    if isinstance(errors, list) and errors and value(found.get("status")) == "failed":
        sighting.failed(mapping(errors[0]))


def _step(shown: dict[str, Any], sighting: Observation, place: object = None) -> None:
    _searches(shown, sighting)
    for part in interaction_steps.parts(shown):
        sighting.part(part, place)


def _searches(shown: dict[str, Any], sighting: Observation) -> None:
    if shown.get("type") == "google_search_call":
        sighting.grounded()
        queries = mapping(shown.get("arguments")).get("queries")
        for query in queries if isinstance(queries, list) else ():
            sighting.search(query)


def usage(text: str) -> Usage:
    """The counts of a `usage` object (2.5); InvalidUsage if one of them is no believable number.

    `raw_prompt_token`, `model_invocation_token_counts` and their like stay in the raw text: which of them is billed is
    not known. `total_reasoning_tokens` is how old answers call the thoughts.
    """
    found = token_counts.parse(text)
    thoughts = token_counts.count(found, "total_thought_tokens")
    return Usage(
        prompt=token_counts.count(found, "total_input_tokens"),
        cached=token_counts.count(found, "total_cached_tokens"),
        tool_use=token_counts.count(found, "total_tool_use_tokens"),
        candidates=token_counts.count(found, "total_output_tokens"),
        thoughts=token_counts.count(found, "total_reasoning_tokens") if thoughts is None else thoughts,
        total=token_counts.count(found, "total_tokens"),
        prompt_details=token_counts.details(found, "input_tokens_by_modality", "tokens"),
        cached_details=token_counts.details(found, "cached_tokens_by_modality", "tokens"),
        tool_use_details=token_counts.details(found, "tool_use_tokens_by_modality", "tokens"),
        candidates_details=token_counts.details(found, "output_tokens_by_modality", "tokens"),
        groundings=_groundings(found),
    )


def _groundings(found: dict[str, Any]) -> int | None:
    """Searches of the web and of maps, by `grounding_tool_count`; None where it is not given (6.5)."""
    counts = [entry for entry in mappings(found.get("grounding_tool_count")) if entry.get("type") in _GROUNDING]
    if not isinstance(found.get("grounding_tool_count"), list):
        return None
    total = sum(token_counts.count(entry, "count") or 0 for entry in counts)
    if total > token_counts.LARGEST:
        raise InvalidUsage("grounding_tool_count is no integer of 0 to 2^53")
    return total


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code an outline shows; `is_error` is all that is said of an outcome (2.4)."""
    return execution.executions(outline, _OUTCOMES)
