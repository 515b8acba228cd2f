"""Paths of both families of endpoints."""

import pytest

from gembill.errors import Refusal
from gembill_simulator.routes import find, model_named


@pytest.mark.parametrize(
    ("prefix", "vertex"),
    [
        ("/v1/", False),
        ("/v1beta/", False),
        ("/v1beta1/projects/p-1/locations/europe-west4/publishers/google/", True),
        ("/v1/publishers/google/", True),
    ],
)
def test_both_families_are_known(prefix: str, vertex: bool) -> None:
    route = find("POST", f"{prefix}models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=k")
    assert (route.vertex, route.generates, route.streams, route.events) == (vertex, True, True, True)
    assert route.model is not None
    assert route.model.name == "gemini-2.5-flash"
    assert "key" not in route.path
    assert find("GET", f"{prefix}models").model is None


def test_a_colon_may_be_escaped_and_without_alt_a_stream_is_an_array() -> None:
    route = find("POST", "/v1/models/gemini-2.5-flash%3AstreamGenerateContent")
    assert route.streams
    assert not route.events


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1/models/gemini-99:generateContent"),
        ("POST", "/v1/models/gemini-2.5-flash:predict"),
        ("GET", "/v1/models/gemini-2.5-flash:generateContent"),
        ("POST", "/v1/models/gemini-2.5-flash"),
        ("POST", "/v1/models:generateContent"),
        ("GET", "/v2/models"),
        ("GET", "/"),
        ("DELETE", "/v1/models"),
        ("GET", "/v1beta/openai/embeddings"),
        ("POST", "/v1beta/openai/models"),
    ],
)
def test_anything_else_is_a_404(method: str, target: str) -> None:
    with pytest.raises(Refusal) as caught:
        find(method, target)
    assert (caught.value.status, caught.value.reason) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "target", "surface", "name", "operation"),
    [
        ("POST", "/v1/interactions", "interactions", "", ""),
        ("GET", "/v1beta/interactions/v1_a-b?stream=true", "interactions", "v1_a-b", ""),
        ("POST", "/v1beta1/projects/p/locations/l/interactions/v1_a/cancel", "interactions", "v1_a", "cancel"),
        ("DELETE", "/v1/interactions/v1_a", "interactions", "v1_a", ""),
        ("PATCH", "/v1beta/cachedContents/c?updateMask=ttl", "cachedContents", "c", ""),
        ("POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent", "batches", "", "batchGenerateContent"),
        ("POST", "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", "batches", "", "asyncBatchEmbedContent"),
        ("POST", "/v1beta/openai/chat/completions", "completions", "", ""),
        ("POST", "/v1beta/openai/embeddings", "openai", "", "embeddings"),
        ("POST", "/v1beta/openai/images/generations", "openai", "", "images/generations"),
        ("GET", "/v1beta/openai/models", "openai", "", "models"),
        ("POST", "/v1beta/batches/b:cancel", "batches", "b", "cancel"),
        ("POST", "/upload/v1beta/files?upload_id=1", "upload", "", ""),
        ("GET", "/v1beta/files/f:download?alt=media", "files", "f", "download"),
        ("GET", "/download/v1beta/files/f:download?alt=media", "files", "f", "download"),
    ],
)
def test_resources_have_their_surface(method: str, target: str, surface: str, name: str, operation: str) -> None:
    route = find(method, target)
    assert (route.surface, route.name, route.operation, route.method) == (surface, name, operation, method)
    assert route.vertex is ("projects" in target)


def test_calls_differ_from_other_requests() -> None:
    assert find("POST", "/v1/interactions").generates
    assert find("POST", "/v1beta/openai/chat/completions").generates
    for method, target in (
        ("GET", "/v1/interactions/v1_a"),
        ("POST", "/v1/interactions/v1_a/cancel"),
        ("POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent"),
        ("POST", "/v1beta/cachedContents"),
    ):
        assert not find(method, target).generates


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/interactions"),
        ("PATCH", "/v1/interactions/v1_a"),
        ("POST", "/v1/files"),
        ("POST", "/v1/interactions/v1_a"),
        ("POST", "/v1/interactions/v1_a/rewind"),
        ("DELETE", "/v1/cachedContents"),
        ("POST", "/upload/v1/batches"),
        ("GET", "/upload/v1/files"),
        ("GET", "/v1beta/openai/chat/completions"),
        ("POST", "/v1/publishers/google/models/gemini-2.5-flash:batchGenerateContent"),
    ],
)
def test_verbs_that_a_resource_does_not_have_are_a_404(method: str, target: str) -> None:
    with pytest.raises(Refusal) as caught:
        find(method, target)
    assert caught.value.status == 404


def test_a_model_is_found_with_and_without_its_prefix() -> None:
    assert model_named("models/gemini-2.5-flash") is model_named("gemini-2.5-flash")
