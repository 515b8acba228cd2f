"""Which surface answers what."""

import json
from typing import Any

import pytest

from gembill.errors import Refusal
from gembill_simulator.surfaces import Surfaces
from tests.gembill_simulator.contexts import ContextFactory, document

ASK: dict[str, Any] = {"contents": [{"parts": [{"text": "Compute the sum of the first 9 primes"}]}]}
CACHE: dict[str, Any] = {
    "model": "models/gemini-2.5-flash",
    "tools": [{"codeExecution": {}}],
    "contents": ASK["contents"],
}
CALL = "/v1beta/models/gemini-2.5-flash:generateContent"


@pytest.mark.parametrize(
    ("target", "body", "key"),
    [
        (CALL, ASK, "usageMetadata"),
        ("/v1/interactions", {"model": "gemini-2.5-flash", "input": "Hi"}, "steps"),
        (
            "/v1beta/openai/chat/completions",
            {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "Hi"}]},
            "choices",
        ),
    ],
)
def test_calls_go_to_their_surface(target: str, body: dict[str, Any], key: str) -> None:
    make_context = ContextFactory()
    assert key in document(Surfaces(make_context.names).generate(make_context("POST", target, body)))


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("/v1/models", "models"),
        ("/v1beta1/publishers/google/models", "publisherModels"),
        ("/v1beta/files", "files"),
        ("/v1beta/batches", "operations"),
        ("/v1beta/cachedContents", "cachedContents"),
    ],
)
def test_lists_go_to_theirs(target: str, key: str) -> None:
    make_context = ContextFactory()
    assert key in document(Surfaces(make_context.names).inform(make_context("GET", target)))


def test_a_cache_is_known_to_calls_and_to_batches() -> None:
    make_context = ContextFactory()
    surfaces = Surfaces(make_context.names)
    made = document(surfaces.inform(make_context("POST", "/v1beta/cachedContents", CACHE)))
    held = made["usageMetadata"]["totalTokenCount"]
    asked = ASK | {"cachedContent": made["name"]}
    usage = document(surfaces.generate(make_context("POST", CALL, asked)))["usageMetadata"]
    assert usage["cachedContentTokenCount"] == held
    body = {"batch": {"inputConfig": {"requests": {"requests": [{"request": asked}]}}}}
    target = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
    batch = document(surfaces.inform(make_context("POST", target, body, x_simulator_polls="0")))
    done = document(surfaces.inform(make_context("GET", f"/v1beta/{batch['name']}")))
    entry = done["response"]["inlinedResponses"]["inlinedResponses"][0]
    assert entry["response"]["usageMetadata"]["cachedContentTokenCount"] == held


def test_tools_cannot_come_beside_a_cache() -> None:
    make_context = ContextFactory()
    body = ASK | {"cachedContent": "cachedContents/x", "tools": [{"codeExecution": {}}]}
    with pytest.raises(Refusal, match="tools"):
        Surfaces(make_context.names).generate(make_context("POST", CALL, body))


def test_the_traffic_of_vertex_follows_its_headers() -> None:
    make_context = ContextFactory()
    path = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent"
    context = make_context("POST", path, ASK, x_vertex_ai_llm_shared_request_type="priority")
    answered = document(Surfaces(make_context.names).generate(context))
    assert answered["usageMetadata"]["trafficType"] == "ON_DEMAND_PRIORITY"
    assert json.dumps(answered).count("serviceTier") == 0
