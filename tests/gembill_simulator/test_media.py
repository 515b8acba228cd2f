"""Embeddings, pictures and films of the simulator."""

from base64 import b64decode
from typing import Any

import pytest

from gembill.errors import Refusal
from gembill_simulator.media import PICTURE, Media, embedded, embedding
from gembill_simulator.options import Options
from gembill_simulator.routes import find
from tests.gembill_simulator.contexts import ContextFactory, document

MODEL = "/v1beta/models/"
VERTEX = "/v1beta1/projects/p/locations/us-central1/publishers/google/models/"
HELLO: dict[str, Any] = {"content": {"parts": [{"text": "hello world"}]}}


def answered(target: str, body: dict[str, Any]) -> dict[str, Any]:
    make_context = ContextFactory()
    return document(Media(make_context.names).answer(make_context("POST", target, body)))


def test_embeddings_report_the_tokens_of_their_prompts() -> None:
    one = answered(f"{MODEL}gemini-embedding-001:embedContent", HELLO)
    assert one["usageMetadata"] == {"promptTokenCount": 2}
    both = answered(f"{MODEL}gemini-embedding-001:batchEmbedContents", {"requests": [HELLO, HELLO]})
    assert both["usageMetadata"] == {"promptTokenCount": 4}
    assert both["embeddings"] == [one["embedding"]] * 2
    (predicted,) = answered(f"{VERTEX}text-embedding-005:predict", {"instances": [{"content": "hello world"}]})[
        "predictions"
    ]
    assert predicted["embeddings"]["statistics"]["token_count"] == 2


def test_a_picture_is_a_png() -> None:
    assert b64decode(PICTURE).startswith(b"\x89PNG")


def test_an_entry_of_a_batch_has_its_tokens_as_text() -> None:
    assert embedded(HELLO) == {"embedding": {"values": embedding("hello world")[0]}, "tokenCount": "2"}
    with pytest.raises(Refusal):
        embedded({})


def test_as_many_pictures_come_as_were_asked_for() -> None:
    body = {"instances": [{"prompt": "x"}], "parameters": {"sampleCount": 3}}
    made = answered(f"{VERTEX}imagen-4.0-generate-001:predict", body)["predictions"]
    assert [one["mimeType"] for one in made] == ["image/png"] * 3


def test_a_film_is_done_after_the_polls_that_were_asked_for() -> None:
    make_context = ContextFactory(Options(polls=1))
    media = Media(make_context.names)
    body = {"instances": [{"prompt": "x"}], "parameters": {"sampleCount": 2}}
    name = document(media.answer(make_context("POST", f"{MODEL}veo-3.0-generate-001:predictLongRunning", body)))["name"]
    polls = [document(media.answer(make_context("GET", f"/v1beta/{name}"))) for _ in range(3)]
    assert ["done" in poll for poll in polls] == [False, True, True]
    assert len(polls[-1]["response"]["generateVideoResponse"]["generatedSamples"]) == 2


def test_on_vertex_a_film_is_fetched_by_the_name_in_the_body() -> None:
    make_context = ContextFactory(Options(polls=0))
    media = Media(make_context.names)
    target = f"{VERTEX}veo-3.0-generate-001"
    name = document(media.answer(make_context("POST", f"{target}:predictLongRunning", {"instances": [{}]})))["name"]
    done = document(media.answer(make_context("POST", f"{target}:fetchPredictOperation", {"operationName": name})))
    assert name.startswith(target.removeprefix("/v1beta1/"))
    assert len(done["response"]["videos"]) == 1


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        (f"{MODEL}gemini-embedding-001:embedContent", {}, 400),
        (f"{MODEL}gemini-embedding-001:batchEmbedContents", {}, 400),
        (f"{MODEL}imagen-4.0-generate-001:predict", {}, 400),
        (f"{MODEL}imagen-4.0-generate-001:predict", {"instances": [{}], "parameters": {"sampleCount": 9}}, 400),
        (f"{MODEL}veo-3.0-generate-001:fetchPredictOperation", {"operationName": "x"}, 404),
        (f"{MODEL}veo-3.0-generate-001:generateContent", {}, 404),
    ],
)
def test_what_cannot_be_answered_is_refused(target: str, body: dict[str, Any], status: int) -> None:
    with pytest.raises(Refusal) as caught:
        answered(target, body)
    assert caught.value.status == status


def test_the_surface_has_its_paths() -> None:
    route = find("GET", f"{MODEL}veo-3.0-generate-001/operations/abc")
    assert (route.surface, route.name, route.generates) == ("media", "abc", False)
