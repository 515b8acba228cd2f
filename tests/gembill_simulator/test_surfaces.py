"""Which surface answers what."""

import json
from typing import Any

import pytest

from gembill.errors import Refusal
from gembill_simulator.surfaces import Surfaces
from tests.gembill_simulator.visits import Visitor, document

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
    visit = Visitor()
    assert key in document(Surfaces(visit.names).generate(visit("POST", target, body)))


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
    visit = Visitor()
    assert key in document(Surfaces(visit.names).inform(visit("GET", target)))


def test_a_cache_is_known_to_calls_and_to_batches() -> None:
    visit = Visitor()
    surfaces = Surfaces(visit.names)
    made = document(surfaces.inform(visit("POST", "/v1beta/cachedContents", CACHE)))
    held = made["usageMetadata"]["totalTokenCount"]
    asked = ASK | {"cachedContent": made["name"]}
    usage = document(surfaces.generate(visit("POST", CALL, asked)))["usageMetadata"]
    assert usage["cachedContentTokenCount"] == held
    body = {"batch": {"inputConfig": {"requests": {"requests": [{"request": asked}]}}}}
    target = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
    batch = document(surfaces.inform(visit("POST", target, body, x_simulator_polls="0")))
    done = document(surfaces.inform(visit("GET", f"/v1beta/{batch['name']}")))
    entry = done["response"]["inlinedResponses"]["inlinedResponses"][0]
    assert entry["response"]["usageMetadata"]["cachedContentTokenCount"] == held


def test_tools_cannot_stand_beside_a_cache() -> None:
    visit = Visitor()
    body = ASK | {"cachedContent": "cachedContents/x", "tools": [{"codeExecution": {}}]}
    with pytest.raises(Refusal, match="tools"):
        Surfaces(visit.names).generate(visit("POST", CALL, body))


def test_the_traffic_of_vertex_follows_its_headers() -> None:
    visit = Visitor()
    path = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent"
    told = visit("POST", path, ASK, x_vertex_ai_llm_shared_request_type="priority")
    found = document(Surfaces(visit.names).generate(told))
    assert found["usageMetadata"]["trafficType"] == "ON_DEMAND_PRIORITY"
    assert json.dumps(found).count("serviceTier") == 0
