"""The dialect of embeddings (wire.md 5.9): both verbs of Gemini, OpenAI's endpoint, and `:predict` on Vertex.

Owns: of an answer `usageMetadata`, `usage`, `predictions[].embeddings.statistics.token_count`, `model` and the `name`
of a batch; of a batch's results `inlinedEmbedContentResponses.inlinedResponses[].response.tokenCount`, which a file has
line by line. Not here: batches of other calls (`batch`). Invariant: an embedding has no output, so its total is its
prompt; a number that is not a count is never taken for one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gembill.event import Part, RequestFacts, UnreadReason
from gembill.model import Execution
from gembill.wire import token_counts
from gembill.wire.batch import OUTPUTS
from gembill.wire.json_text import fields, lenient_fields, mapping, mappings, value, whole, word
from gembill.wire.observation import Observation
from gembill.wire.token_counts import Usage

_BATCH_TIER = "batch"
_BATCH_TYPE = "EmbedContentBatch"
_STATE = "BATCH_STATE_"
_INLINED = "inlinedEmbedContentResponses"
_DETAILS = ("promptTokenDetails", "promptTokensDetails")  # as embeddings spell it, and as every other answer does
INLINED = tuple((*output, _INLINED.encode(), b"inlinedResponses") for output in OUTPUTS)
"""The names that lead to the results in an answer."""


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, None]:
    """What a request for embeddings asks for: its model, and the batch tier where it is a batch. No tools, no chat."""
    members = lenient_fields(body)
    if members is None:
        return RequestFacts(model=model, unread=body is not None), None
    tier = _BATCH_TIER if "batch" in members else word(value(members.get("service_tier")), 64)
    named = model or word(value(members.get("model")))
    return RequestFacts(model=named, declared=False, service_tier=tier, turns=1), None


def observe(document: bytes, observation: Observation) -> None:
    """Add the answer: its usage, and the name of the batch where the work is done later."""
    members = fields(document, deep=True)
    if members is None:
        observation.mark_unread(UnreadReason.MALFORMED)
        return
    observation.add_word("model_version", value(members.get("model")))
    name = word(value(members.get("name")))
    if name and name.startswith("batches/"):
        observation.add_word("response_id", name)
    observation.update_usage(members.get("usageMetadata", members.get("usage")))
    if not observation.has_usage:
        observation.update_usage(predicted_usage(mappings(value(members.get("predictions")))))
    observation.add_error(value(members.get("error")))
    observation.end_document()


def predicted_usage(predictions: Iterable[Mapping[str, Any]]) -> msgspec.Raw | None:
    """The tokens that predictions report of their inputs, as a usage; None where one of them reports none."""
    counts = [
        _count(mapping(mapping(one.get("embeddings")).get("statistics")).get("token_count")) for one in predictions
    ]
    known = [count for count in counts if count is not None]
    if not counts or len(known) < len(counts):
        return None
    return usage_of(sum(known))


def usage_of(tokens: int) -> msgspec.Raw:
    """A usage object of that many prompt tokens."""
    return msgspec.Raw(msgspec.json.encode({"promptTokenCount": tokens}))


def usage(text: str) -> Usage:
    """The counts of a usage object of either form; InvalidUsage if one of them is not a count."""
    counts = token_counts.parse(text)
    reported = [token_counts.count(counts, name) for name in ("promptTokenCount", "prompt_tokens")]
    totals = [token_counts.count(counts, name) for name in ("totalTokenCount", "total_tokens")]
    total = next((n for n in totals if n is not None), None)
    prompt = next((n for n in reported if n is not None), total)
    return Usage(
        prompt=prompt,
        total=prompt if total is None else total,
        prompt_details=next(filter(None, (token_counts.details(counts, name) for name in _DETAILS)), {}),
    )


def executions(outline: tuple[Part, ...]) -> tuple[Execution, ...]:  # noqa: ARG001
    """None: nothing runs."""
    return ()


def is_batch(document: bytes) -> bool:
    """Whether an answer is a batch of embeddings, finished or not."""
    members = fields(document) or {}
    metadata = mapping(value(members.get("metadata")))
    kind = word(metadata.get("@type")) or ""
    return kind.endswith(_BATCH_TYPE) or any(_INLINED in output for output in _outputs(members))


def entry_tokens(text: bytes) -> int | None:
    """The prompt tokens of one of a batch's results in an answer; None where it reports none."""
    return _count(mapping(mapping(value(text)).get("response")).get("tokenCount"))


def batch_error(document: bytes) -> msgspec.Raw | None:
    """Why a batch of embeddings ended without results: its error, or its state as one; None where it did not."""
    members = fields(document) or {}
    if "error" in members:
        return members["error"]
    state = word(mapping(value(members.get("metadata"))).get("state"), 64) or ""
    ended = state.removeprefix(_STATE) in ("FAILED", "CANCELLED", "EXPIRED")
    return msgspec.Raw(msgspec.json.encode({"status": state.removeprefix(_STATE)})) if ended else None


def line_tokens(document: bytes) -> int | None:
    """The prompt tokens of a line of a results file; None where the line is not an embedding, 0 where it tells none."""
    response = mapping(value((fields(document) or {}).get("response")))
    if "embedding" not in response and "embeddings" not in response:
        return None
    told = response.get("tokenCount", mapping(response.get("usageMetadata")).get("promptTokenCount"))
    return _count(told) or 0


def _outputs(members: Mapping[str, msgspec.Raw]) -> list[dict[str, Any]]:
    """What a finished batch has as its output: the API says it twice."""
    return [mapping(value(members.get("response"))), mapping(mapping(value(members.get("metadata"))).get("output"))]


def _count(said: object) -> int | None:
    return whole(said, token_counts.LARGEST)
