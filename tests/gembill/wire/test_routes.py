"""Which requests say something of calls: every path form, and what looks like one and is none."""

import pytest

from gembill.model import Api, Operation
from gembill.wire.routes import Role, Route, family, route

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


def where(path: str) -> dict[str, str]:
    return {"project": "p-1", "location": "us-central1"} if VERTEX in path else {}


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha", "v1beta1", "v1beta2", "v2"])
@pytest.mark.parametrize(("api", "name", "model"), FORMS)
def test_every_form_that_generates_content_is_a_call(version, api, name, model):
    for method, streamed in (("generateContent", False), ("streamGenerateContent", True)):
        read = route("POST", f"/{version}/{name}:{method}")
        assert read == Route(api, Operation.GENERATE_CONTENT, model, streamed, **where(name))


@pytest.mark.parametrize(("api", "name", "model"), FORMS)
@pytest.mark.parametrize("method", ["countTokens", "computeTokens"])
def test_counting_tokens_is_not_a_call(api, name, model, method):
    assert route("POST", f"/v1beta/{name}:{method}") is None


@pytest.mark.parametrize(
    ("path", "operation", "model"),
    [
        ("models/m:generateAnswer", "generate_answer", "m"),
        ("publishers/anthropic/models/claude-x:rawPredict", "raw_predict", "claude-x"),
        ("models/m:GenerateContent", "generate_content", "m"),
        ("openai/audio/speech", "speech", None),
        ("tuningJobs", "tuning_jobs", None),
        ("models/m:" + "x" * 100, "x" * 64, "m"),
        ("models/m:%F0%9F%92%A9", "unknown", "m"),
    ],
)
def test_a_post_that_no_row_names_is_a_call_named_by_its_verb(path, operation, model):
    match = route("POST", f"/v1beta/{path}")
    assert match is not None
    assert (match.operation, match.model, match.role) == (operation, model, Role.CALL)


def test_a_percent_encoded_path_means_what_it_decodes_to():
    assert route("POST", "/v1beta/models/gemini-2.5-flash%3AgenerateContent") == Route(
        Api.GEMINI, Operation.GENERATE_CONTENT, "gemini-2.5-flash", streamed=False
    )


@pytest.mark.parametrize(
    ("path", "project", "location"),
    [
        (f"/v1/{VERTEX}/publishers/google/models/m:generateContent", "p-1", "us-central1"),
        ("/v1/projects/p/locations/global/endpoints/openapi/chat/completions", "p", "global"),
        ("/v1beta1/projects/p/locations/eu/interactions", "p", "eu"),
        ("/v1/publishers/google/models/m:generateContent", None, None),
        ("/v1beta/models/m:generateContent", None, None),
    ],
)
def test_project_and_location_are_those_of_the_path(path, project, location):
    match = route("POST", path)
    assert match is not None
    assert (match.project, match.location) == (project, location)


def test_live_interactions_are_not_a_poll():
    assert route("GET", "/v1beta/interactions/live") is None
    assert route("GET", "/v1beta/interactions/liver") is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", ""])
def test_only_post_makes_a_call(method):
    assert route(method, "/v1beta/models/gemini-2.5-flash:generateContent") is None


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/v1beta", "/v1beta/batches/b1:cancel", "/v1beta/files", "/upload/v1beta/files",
                "/models/m:generateContent", "v1beta/models/m:generateContent", "//v1beta/models/m:generateContent",
        "/v1gamma/models/m:generateContent", "/v/models/m:generateContent", "/prefix/v1beta/models/m:generateContent",
    ],
)  # fmt: skip
def test_other_paths_are_no_calls(path):
    assert route("POST", path) is None


@pytest.mark.parametrize(("start", "api"), [("", Api.GEMINI), (f"/{VERTEX}", Api.VERTEX)])
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1beta1"])
def test_an_interaction_is_made_by_a_call_and_read_by_what_is_none(version, start, api):
    path = f"/{version}{start}/interactions"
    assert route("POST", path) == Route(api, Operation.INTERACTIONS, None, streamed=False, **where(start))
    read = Route(api, Operation.INTERACTIONS, None, streamed=False, role=Role.ANSWER, subject="v1_a-b=", **where(start))
    assert route("GET", f"{path}/v1_a-b=") == read
    assert route("POST", f"{path}/v1_a-b=/cancel") == read
    for method, other in [
        ("GET", path),
        ("DELETE", f"{path}/i"),
        ("GET", f"{path}/i/cancel"),
        ("GET", f"{path}/i/steps"),
    ]:
        assert route(method, other) is None


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/v1beta/openai/chat/completions", Api.GEMINI),
        (f"/v1beta1/{VERTEX}/endpoints/openapi/chat/completions", Api.VERTEX),
    ],
)
def test_a_chat_completion_is_a_call(path, api):
    assert route("POST", path) == Route(api, Operation.OPENAI_CHAT, None, streamed=False, **where(path))
    assert route("GET", path) is None


@pytest.mark.parametrize(("name", "model"), [("models/m", "m"), ("tunedModels/t", "tunedModels/t")])
def test_a_batch_is_a_notice_when_made_and_answers_when_read(name, model):
    made = Route(Api.GEMINI, Operation.BATCH, model, streamed=False, role=Role.NOTICE)
    assert route("POST", f"/v1beta/{name}:batchGenerateContent") == made
    for path, subject in [
        ("/v1/batches/b", "batches/b"),
        ("/v1beta/files/f:download", "files/f"),
        ("/download/v1beta/files/f:download", "files/f"),
    ]:
        read = route("GET", path)
        assert read == Route(Api.GEMINI, Operation.BATCH, None, streamed=False, role=Role.ANSWER, subject=subject)
        assert read.is_file is subject.startswith("files/")
    assert route("GET", "/v1beta/files/f") is None
    assert route("GET", "/v1beta/batches") is None


@pytest.mark.parametrize(("start", "api"), [("", Api.GEMINI), (f"/{VERTEX}", Api.VERTEX)])
def test_making_a_cached_content_is_a_notice(start, api):
    read = route("POST", f"/v1beta{start}/cachedContents")
    assert read == Route(api, Operation.CACHE_STORAGE, None, streamed=False, role=Role.NOTICE, **where(start))


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/v1beta/models/m:generateContent", Api.GEMINI), ("/v1/interactions/projects", Api.GEMINI), ("/v1beta/openai/models", Api.GEMINI),
        ("/v1/projects/p/locations/l/models", Api.VERTEX), ("/v1beta1/publishers/google/models/m:generateContent", Api.VERTEX),
        ("/v1/endpoints/4711:generateContent", Api.VERTEX), ("/upload/v1beta1/projects/p/files", Api.VERTEX), ("/upload/v1beta/files", Api.GEMINI),
    ],
)  # fmt: skip
def test_the_path_tells_the_family(path, api):
    assert family(path) is api
