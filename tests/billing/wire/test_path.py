"""Which requests are calls: every path form that generates content, and what looks like one and is none."""

import pytest

from billing.model import Api, Operation
from billing.wire.path import Route, route

VERTEX = "projects/p-1/locations/us-central1"
FORMS = [
    (Api.GEMINI, "models/gemini-2.5-flash", "gemini-2.5-flash"),
    (Api.GEMINI, "models/gemini-3.1-pro-preview", "gemini-3.1-pro-preview"),
    (Api.GEMINI, "tunedModels/my-tune-1", "tunedModels/my-tune-1"),
    (Api.GEMINI, "dynamic/d1", "dynamic/d1"),
    (Api.VERTEX, f"{VERTEX}/publishers/google/models/gemini-3-flash-preview", "gemini-3-flash-preview"),
    (Api.VERTEX, f"{VERTEX}/publishers/google/models/gemini-2.0-flash@001", "gemini-2.0-flash@001"),
    (Api.VERTEX, "publishers/google/models/gemini-3.5-flash", "gemini-3.5-flash"),
    (Api.VERTEX, f"{VERTEX}/publishers/another/models/m1", "m1"),
    (Api.VERTEX, f"{VERTEX}/endpoints/4711", "endpoints/4711"),
    (Api.VERTEX, "endpoints/4711", "endpoints/4711"),
]


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha", "v1beta1", "v1beta2", "v2"])
@pytest.mark.parametrize(("api", "name", "model"), FORMS)
def test_every_form_that_generates_content_is_a_call(version, api, name, model):
    for method, streamed in (("generateContent", False), ("streamGenerateContent", True)):
        found = route("POST", f"/{version}/{name}:{method}")
        assert found == Route(api, Operation.GENERATE_CONTENT, model, streamed)


@pytest.mark.parametrize(("api", "name", "model"), FORMS)
@pytest.mark.parametrize(
    "method",
    [
        "countTokens", "computeTokens", "embedContent", "batchEmbedContents", "asyncBatchEmbedContent", "predict",
        "predictLongRunning", "batchGenerateContent", "asyncBatchGenerateContent", "generateAnswer", "GenerateContent",
        "generateContents", "generateContent:countTokens", "generateContent/", "",
    ],
)  # fmt: skip
def test_other_methods_of_a_model_are_no_calls(api, name, model, method):
    assert route("POST", f"/v1beta/{name}:{method}") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", ""])
def test_only_post_makes_a_call(method):
    assert route(method, "/v1beta/models/gemini-2.5-flash:generateContent") is None


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/v1beta", "/v1beta/models", "/v1beta/models/gemini-2.5-flash", "/v1beta/batches", "/v1beta/batches/b1:cancel",
        "/v1beta/files", "/upload/v1beta/files", "/v1beta/files/f1:download", "/v1beta/cachedContents", "/v1beta/interactions",
        "/v1beta/openai/chat/completions", f"/v1/{VERTEX}/batchPredictionJobs", f"/v1/{VERTEX}/cachedContents",
        "/models/m:generateContent", "v1beta/models/m:generateContent", "//v1beta/models/m:generateContent",
        "/v1beta/models/:generateContent", "/v1beta/models/a/b:generateContent", "/v1beta/models/m:generateContent\n",
        "/v1beta/models/m:generateContent?alt=sse", "/v1gamma/models/m:generateContent", "/v/models/m:generateContent",
        "/prefix/v1beta/models/m:generateContent", "/v1beta/files/m:generateContent",
    ],
)  # fmt: skip
def test_other_paths_are_no_calls(path):
    assert route("POST", path) is None
