"""Embeddings, pictures and models of the OpenAI-compatible endpoint."""

import struct
from base64 import b64decode
from typing import Any

import pytest

from gembill.errors import Refusal
from gembill_simulator import compatible
from tests.gembill_simulator.contexts import ContextFactory, document

OPENAI = "/v1beta/openai/"


def posted(rest: str, body: Any) -> dict[str, Any]:
    return document(compatible.reply(ContextFactory()("POST", OPENAI + rest, body)))


@pytest.mark.parametrize(("given", "tokens"), [("hello world", [2]), (["hello world", "hello"], [2, 1])])
def test_embeddings_count_their_inputs_and_come_in_the_form_asked_for(given: Any, tokens: list[int]) -> None:
    plain = posted("embeddings", {"model": "gemini-embedding-001", "input": given})
    packed = posted("embeddings", {"model": "gemini-embedding-001", "input": given, "encoding_format": "base64"})
    assert plain["usage"] == {"prompt_tokens": sum(tokens), "total_tokens": sum(tokens)}
    assert len(plain["data"]) == len(tokens)
    for one, other in zip(plain["data"], packed["data"], strict=True):
        raw = b64decode(other["embedding"])
        assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == one["embedding"]


def test_as_many_pictures_come_as_were_asked_for() -> None:
    made = posted("images/generations", {"model": "imagen-4.0-generate-001", "prompt": "a cat", "n": 2})
    assert [set(one) for one in made["data"]] == [{"b64_json"}] * 2
    assert isinstance(made["created"], int)


def test_models_are_listed_by_the_names_that_the_endpoint_takes() -> None:
    listed = document(compatible.reply(ContextFactory()("GET", f"{OPENAI}models")))
    assert "models/gemini-2.5-flash" in [one["id"] for one in listed["data"]]


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("embeddings", {}),
        ("embeddings", {"input": []}),
        ("embeddings", {"input": [1, 2]}),
        ("images/generations", {}),
        ("images/generations", {"prompt": "x", "n": 9}),
    ],
)
def test_what_cannot_be_answered_is_refused(rest: str, body: Any) -> None:
    with pytest.raises(Refusal) as caught:
        posted(rest, body)
    assert caught.value.status == 400
