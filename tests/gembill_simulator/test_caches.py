"""Cached contents, by their surface and through the SDK."""

from typing import Any

import pytest
from google import genai
from google.genai import types

from gembill.errors import Refusal
from gembill_simulator import Simulator, in_thread
from gembill_simulator.caches import Caches
from gembill_simulator.request import count_content
from tests.gembill_simulator.contexts import ContextFactory, document

BODY: dict[str, Any] = {
    "model": "models/gemini-2.5-flash",
    "contents": [{"role": "user", "parts": [{"text": "A long text. " * 50}]}],
    "tools": [{"codeExecution": {}}],
    "ttl": "300s",
}


@pytest.fixture
def make_context() -> ContextFactory:
    return ContextFactory()


@pytest.fixture
def caches(make_context: ContextFactory) -> Caches:
    return Caches(make_context.names)


def test_a_cache_is_made_shown_listed_changed_and_deleted(make_context: ContextFactory, caches: Caches) -> None:
    made = document(caches.answer(make_context("POST", "/v1beta/cachedContents", BODY)))
    assert made["usageMetadata"] == {"totalTokenCount": count_content(BODY).total}
    assert made["expireTime"] == "2026-11-21T09:05:00.000000Z"
    path = f"/v1beta/{made['name']}"
    assert document(caches.answer(make_context("GET", path))) == made
    assert document(caches.answer(make_context("GET", "/v1beta/cachedContents"))) == {"cachedContents": [made]}
    changed = document(caches.answer(make_context("PATCH", path + "?updateMask=ttl", {"ttl": "60s"}, second=10)))
    assert changed["expireTime"] == "2026-11-21T09:01:10.000000Z"
    assert document(caches.answer(make_context("DELETE", path))) == {}
    with pytest.raises(Refusal) as caught:
        caches.answer(make_context("DELETE", path))
    assert caught.value.status == 403


def test_a_cache_of_vertex_has_a_long_name(make_context: ContextFactory, caches: Caches) -> None:
    family = "projects/p/locations/l/"
    body = BODY | {"model": f"{family}publishers/google/models/gemini-2.5-flash"}
    made = document(caches.answer(make_context("POST", f"/v1beta1/{family}cachedContents", body)))
    assert made["name"].startswith(f"{family}cachedContents/")
    assert made["model"] == body["model"]
    assert document(caches.answer(make_context("GET", f"/v1beta1/{made['name']}"))) == made


@pytest.mark.parametrize(
    ("change", "status"),
    [({"contents": [], "tools": []}, 400), ({"model": "models/gemini-99"}, 404), ({"ttl": "soon"}, 400)],
)
def test_what_cannot_be_cached_is_refused(
    make_context: ContextFactory, caches: Caches, change: dict[str, Any], status: int
) -> None:
    with pytest.raises(Refusal) as caught:
        caches.answer(make_context("POST", "/v1beta/cachedContents", BODY | change))
    assert caught.value.status == status


def test_calls_of_the_sdk_count_what_the_cache_holds_and_run_its_tools() -> None:
    with in_thread(Simulator()) as running:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=running.url))
        made = client.caches.create(
            model="gemini-2.5-flash",
            config=types.CreateCachedContentConfig(
                contents="A long text. " * 50, tools=[types.Tool(code_execution=types.ToolCodeExecution())]
            ),
        )
        assert made.name is not None
        assert made.usage_metadata is not None
        held = made.usage_metadata.total_token_count
        config = types.GenerateContentConfig(cached_content=made.name)
        answer = client.models.generate_content(
            model="gemini-2.5-flash", contents="Compute the sum of 5 primes", config=config
        )
        usage = answer.usage_metadata
        assert usage is not None
        assert usage.cached_content_token_count == held
        assert (usage.prompt_token_count or 0) > (held or 0)
        assert (usage.tool_use_prompt_token_count or 0) > 0
        assert answer.executable_code
        later = client.caches.update(name=made.name, config=types.UpdateCachedContentConfig(ttl="900s"))
        assert later.expire_time is not None
        assert made.expire_time is not None
        assert later.name == made.name
        assert [cache.name for cache in client.caches.list()] == [made.name]
        client.caches.delete(name=made.name)
        assert not list(client.caches.list())
        client.close()
