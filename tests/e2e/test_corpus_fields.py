"""Every field name of the recorded interactions, batches and errors: a dialect reads it, or it is ignored knowingly.

generateContent has the same test beside its own. What a request holds is not looked at: `asked` names what it reads.
"""

from collections.abc import Iterator

import pytest

from tests.e2e import corpus

pytestmark = corpus.needed

COUNTS = {
    *(f"total_{name}_tokens" for name in ("input", "output", "thought", "tool_use", "cached")), "total_tokens",
    *(f"{name}_tokens_by_modality" for name in ("input", "output", "tool_use", "cached")), "grounding_tool_count",
}  # fmt: skip
RESOURCE = {"id", "status", "model", "agent", "service_tier", "usage", "steps"}
READ = {
    "resource": RESOURCE,
    "event": {"event_type", "interaction", "interaction_id", "index", "step", "delta", "status", "metadata"},
    "usage": COUNTS,
    "metadata": {"usage"},
    "step": {"type", "id", "call_id", "arguments", "result", "is_error", "content", "summary"},
    "delta": {"type", "text", "content", "arguments", "result", "is_error"},
    "content": {"type", "text"},
    "batch": {"name", "metadata", "response"},
    "batch metadata": {"model", "output"},
    "batch entry": {"response"},
    "error": {"code", "status", "message"},
}
IGNORED = {
    "resource": {
        "object",
        "created",
        "updated",
        "environment_id",
    },  # none of them is billed or tells a call from another
    "event": set(),
    "usage": {
        "raw_prompt_token",
        "model_invocation_token_counts",
    },  # kept in the raw usage: which is billed is not known
    "metadata": set(),
    "step": {"signature", "name", "search_type"},
    "delta": {"signature", "name"},
    "content": {"annotations"},
    "batch": {"done"},
    "batch metadata": {"@type", "name", "displayName", "createTime", "endTime", "updateTime", "state", "batchStats"},
    "batch entry": {"metadata"},  # the user's own words; an entry is known by its place
    "error": {"details"},
}


def documents(*surfaces: str) -> Iterator[dict]:
    for case in corpus.cases(*surfaces).values():
        bodies = [chunk["data"] for chunk in case["chunks"]] if case.get("chunks") is not None else [case["response"]]
        yield from (one for one in bodies if isinstance(one, dict))


def names() -> dict[str, set[str]]:
    seen: dict[str, set[str]] = {place: set() for place in READ}
    for document in documents("interactions", "interactions-stream"):
        event = "event_type" in document
        seen["event" if event else "resource"] |= set(document)
        resource = document.get("interaction", {}) if event else document
        seen["resource"] |= set(resource)
        metadata = document.get("metadata", {})
        seen["metadata"] |= set(metadata)
        seen["usage"] |= set(resource.get("usage", {})) | set(metadata.get("usage", {}))
        seen["delta"] |= set(document.get("delta", {}))
        for step in [*resource.get("steps", []), *([document["step"]] if "step" in document else [])]:
            seen["step"] |= set(step)
            for content in step.get("content", []):
                seen["content"] |= set(content)
    for document in documents("batch"):
        seen["batch"] |= set(document)
        seen["batch metadata"] |= set(document["metadata"])
        for output in (document["metadata"].get("output", {}), document.get("response", {})):
            for entry in output.get("inlinedResponses", {}).get("inlinedResponses", []):
                seen["batch entry"] |= set(entry)
    for document in documents("error"):
        assert set(document) == {"error"}
        seen["error"] |= set(document["error"])
    return seen


@pytest.mark.parametrize("place", READ)
def test_every_recorded_field_is_read_or_knowingly_ignored(place):
    recorded = names()[place]
    assert recorded - READ[place] - IGNORED[place] == set()
    assert recorded >= IGNORED[place], "ignored names that are not in the recordings"
