"""The dialect of the Interactions API (wire.md 2), in its new schema and its old one.

Owns: of a resource `id`, `status`, `model`, `agent`, `agent_config.model`, `service_tier`, `previous_interaction_id`,
`errors`, `usage` and `steps` (once `outputs`); of stream events `event_type`, `interaction`, `index`, `step`,
`content`, `delta`, `status`, `usage`, `metadata`, `error`; of requests what `request_facts` reads. The body alone shows
which schema it is, never a header (2.8). Not here: the meaning of a step (`interaction_steps`), and natural keys.
Invariant: what an answer repeats of its own steps is added once, and the last usage replaces a running one.
"""

from functools import partial
from typing import Any

from msgspec import UNSET, Raw, Struct

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution, Outcome
from gembill.wire import execution, interaction_steps, token_counts
from gembill.wire.json_text import either, fields, lenient_fields, mapping, mappings, mappings_or_one, value, word
from gembill.wire.observation import Observation
from gembill.wire.shape import Shape
from gembill.wire.token_counts import InvalidUsage, Usage

RUNNING = frozenset(("in_progress", "queued"))
"""The states of an interaction whose usage, if it has any, is not its last."""

_SEARCH_TYPES = ("google_search", "image_search", "enterprise_web_search")
_MAPS_TYPES = ("google_maps",)
_FREE_TYPES = ("retrieval", "url_context", "file_search", "code_execution")
_OUTCOMES: dict[str | int, Outcome] = {interaction_steps.OK: Outcome.OK, interaction_steps.ERROR: Outcome.FAILED}
_WORDS = (
    ("response_id", "id"),
    ("finish_reason", "status"),
    ("model_version", "model"),
    ("agent", "agent"),
    ("service_tier", "service_tier"),
    ("previous_interaction_id", "previous_interaction_id"),
)


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What the creation of an interaction asks for (2.2). The API names its conversation, so there are no bytes for it.

    Agents run code unasked, and a continued hop has the tools of the one before: without `tools`, that is not known.
    """
    members = lenient_fields(body)
    if members is None:
        return RequestFacts(model=model, unread=body is not None), None
    config = mapping(value(either(members, "agent_config", "agentConfig")))
    agent = word(value(members.get("agent")))
    tools = mappings_or_one(value(members.get("tools")))
    cached = word(value(either(members, "cached_content", "cachedContent")))
    unknown = agent or cached or either(members, "continuation_token", "continuationToken") is not None
    return RequestFacts(
        model=word(value(members.get("model"))) or word(config.get("model")),
        agent=agent,
        declared=True if any(t.get("type") == "code_execution" for t in tools) else None if unknown else False,
        service_tier=word(value(either(members, "service_tier", "serviceTier")), 64),
        cached_content=cached,
        turns=1,  # only the server knows the ones before
        previous_interaction_id=word(value(either(members, "previous_interaction_id", "previousInteractionId"))),
        stream=value(members.get("stream")) is True,
    ), None


class _Document(Struct, frozen=True, gc=False):
    """What is read of a resource, or of an event of a stream: which one it is only its members tell."""

    event_type: Any = UNSET
    interaction: Raw = Raw()
    interaction_id: Any = None
    index: Any = None
    step: Any = UNSET
    content: Any = None
    delta: Any = None
    metadata: Raw = Raw()
    id: Any = None
    status: Any = UNSET
    model: Any = UNSET
    agent: Any = None
    agent_config: Any = None
    service_tier: Any = None
    previous_interaction_id: Any = None
    steps: Any = UNSET
    outputs: Any = None
    usage: Raw = Raw()
    error: Any = None
    errors: Any = None


_documents = Shape(_Document, partial(fields, deep=True))


def observe(document: bytes, observation: Observation) -> None:
    """Add one document of an answer: a resource, an event of a stream, or an error."""
    shown = _documents.read(document)
    if shown is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    inner = bytes(shown.interaction)
    if inner or shown.event_type is not UNSET:
        _event(shown, _documents.read(inner) if inner else None, observation)
    else:
        _resource(shown, observation)
    observation.add_error(shown.error)
    observation.end_document()


def _event(event: _Document, inner: _Document | None, observation: Observation) -> None:
    """An event of a stream (2.6). Its names have changed before: what it holds says what it is."""
    if inner is not None:
        _resource(inner, observation)
    elif event.status is not UNSET:
        observation.add_word("finish_reason", event.status)
    observation.add_word("response_id", event.interaction_id)
    step = event.content if event.step is UNSET else event.step
    if isinstance(step, dict):
        _step(step, observation, event.index)
    if isinstance(event.delta, dict):
        _delta(event.delta, event.index, observation)
    if metadata := bytes(event.metadata):
        said = fields(metadata) or {}
        observation.update_usage(said.get("usage"))
        observation.update_usage(said.get("total_usage"))
    observation.update_usage(event.usage)


def _delta(delta: dict[str, Any], index: object, observation: Observation) -> None:
    """A piece of a step: of code and of a result it completes the part that is there, of text it is one more part."""
    open_part = observation.part_of_step(index)
    if open_part is not None and open_part.kind in ("code", "result"):
        observation.replace_part_of_step(index, interaction_steps.completed(open_part, delta))
        return
    _searches(delta, observation)
    for part in interaction_steps.delta(delta):
        observation.add_part(part, index)


def _resource(resource: _Document, observation: Observation) -> None:
    for name, field in _WORDS:
        observation.add_word(name, getattr(resource, field))
    if resource.model is UNSET:
        observation.add_word("model_version", mapping(resource.agent_config).get("model"))
    if not observation.part_count:  # the last event of a stream may repeat what the stream showed
        for step in mappings(resource.outputs if resource.steps is UNSET else resource.steps):
            _step(step, observation)
    observation.update_usage(resource.usage)
    if isinstance(resource.errors, list) and resource.errors and resource.status == "failed":
        observation.add_error(resource.errors[0])


def _step(step: dict[str, Any], observation: Observation, index: object = None) -> None:
    _searches(step, observation)
    for part in interaction_steps.parts(step):
        observation.add_part(part, index)


def _searches(step: dict[str, Any], observation: Observation) -> None:
    """The tools with a fee per use; file search, URL context and retrieval have none (6.5)."""
    kind, queries = step.get("type"), mapping(step.get("arguments")).get("queries")
    if kind == "google_search_call":
        observation.add_grounding(queries, searched=True)
    elif kind == "google_maps_call":
        observation.add_grounding(queries, maps=True)


def usage(text: str) -> Usage:
    """The counts of a `usage` object (2.5); InvalidUsage if one of them is not a count.

    `raw_prompt_token`, `model_invocation_token_counts` and the like stay in the raw text: which of them is billed is
    not known. `total_reasoning_tokens` is the thoughts' name in old answers.
    """
    counts = token_counts.parse(text)
    thoughts = token_counts.count(counts, "total_thought_tokens")
    return Usage(
        prompt=token_counts.count(counts, "total_input_tokens"),
        cached=token_counts.count(counts, "total_cached_tokens"),
        tool_use=token_counts.count(counts, "total_tool_use_tokens"),
        candidates=token_counts.count(counts, "total_output_tokens"),
        thoughts=token_counts.count(counts, "total_reasoning_tokens") if thoughts is None else thoughts,
        total=token_counts.count(counts, "total_tokens"),
        prompt_details=token_counts.details(counts, "input_tokens_by_modality", "tokens"),
        cached_details=token_counts.details(counts, "cached_tokens_by_modality", "tokens"),
        tool_use_details=token_counts.details(counts, "tool_use_tokens_by_modality", "tokens"),
        candidates_details=token_counts.details(counts, "output_tokens_by_modality", "tokens"),
        groundings=_uses(counts, _SEARCH_TYPES),
        maps=_uses(counts, _MAPS_TYPES),
        unclear_uses=_unclear_uses(counts),
    )


def _uses(usage: dict[str, Any], types: tuple[str, ...]) -> int | None:
    """How often tools of some types were used, by `grounding_tool_count`; None where it does not say that (6.5)."""
    if not isinstance(usage.get("grounding_tool_count"), list):
        return None
    entries = [entry for entry in mappings(usage["grounding_tool_count"]) if entry.get("type") in types]
    uses = [token_counts.count(entry, "count") for entry in entries]
    known = [count for count in uses if count is not None]
    if sum(known) > token_counts.LARGEST:
        raise InvalidUsage("grounding_tool_count is not an integer of 0 to 2^53")
    return sum(known) if len(known) == len(uses) else None


def _unclear_uses(usage: dict[str, Any]) -> int:
    """How many entries of `grounding_tool_count` do not say what is charged for: without a count, of a type that is
    new, or with a count of queries that is another one."""
    entries = mappings(usage.get("grounding_tool_count"))
    return sum(map(_is_unclear, entries))


def _is_unclear(entry: dict[str, Any]) -> bool:
    kind, count = entry.get("type"), entry.get("count")
    if kind in _FREE_TYPES or (count == 0 and kind not in _SEARCH_TYPES):
        return False
    if kind not in (*_SEARCH_TYPES, *_MAPS_TYPES):
        return True
    return count is None or entry.get("search_query_count", count) not in (None, count)


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:
    """The runs of generated code an outline shows; `is_error` is all the wire says of an outcome (2.4)."""
    return execution.executions(outline, _OUTCOMES)
