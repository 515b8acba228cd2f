"""Embeddings, pictures and films: models that are billed by something else than the tokens of an answer.

Owns: reading their requests and writing their answers, and the operations of films (wire.md 5.9). Not
here: models that generate text. Invariant: a film is done after as many polls as the request asks for; the same request
gives the same embedding.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b

from gembill.errors import Refusal
from gembill_simulator import frames
from gembill_simulator.context import RequestContext
from gembill_simulator.fields import Object, bad, decode, entries, entry, integer, text, value
from gembill_simulator.frames import Reply
from gembill_simulator.names import IdFactory
from gembill_simulator.store import Store
from gembill_simulator.tokens import count
from gembill_simulator.wire import Document

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
"""A picture, as base64 of a PNG."""
_DIMENSIONS = 8
_MOST = 8
_RESOURCE = re.compile(r"/v[^/]+/(?P<name>.*models/(?P<model>[^/:]+))(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class _Film:
    """Work on films. `polls` is how often it is still to be found unfinished."""

    name: str
    vertex: bool
    films: int
    polls: int


class Media:
    """The models of this surface, and the operations that they began."""

    def __init__(self, names: IdFactory) -> None:
        self._names = names
        self._store: Store[_Film] = Store()

    def answer(self, context: RequestContext) -> Reply:
        """Answer a request to the surface; raises `Refusal` (400, 404) for one that cannot be answered."""
        operation, model = context.route.operation, _resource(context)["model"]
        if context.route.method == "GET":
            return frames.plain(200, self._poll(_resource(context)["name"] + _resource(context)["rest"]))
        body = decode(context.body)
        if operation == "fetchPredictOperation":
            return frames.plain(200, self._poll(text(body, "operationName")))
        if operation == "predictLongRunning":
            return frames.plain(200, self._begin(context, body))
        if operation == "predict":
            return frames.plain(200, _pictures(body) if model.startswith("imagen") else _predicted_embeddings(body))
        return frames.plain(200, _EMBEDS[operation](body))

    def _begin(self, context: RequestContext, body: Object) -> Document:
        _instances(body)
        parameters = entry(body, "parameters")
        films = integer(parameters, "sampleCount") or integer(parameters, "numberOfVideos") or 1
        prefix = f"{_resource(context)['name']}/operations/"
        name = self._names.give(prefix, context.draw, context.origin)
        self._store.put(name, _Film(name, context.route.vertex, _bounded(films), context.polls))
        return {"name": name}

    def _poll(self, name: str) -> Document:
        film = self._store.get(name)
        if film is None:
            raise Refusal(404, "NOT_FOUND", f"The operation {name} was not found.")
        if film.polls:
            self._store.put(name, replace(film, polls=film.polls - 1))
            return {"name": name}
        return {"name": name, "done": True, "response": _finished(film)}


def _resource(context: RequestContext) -> re.Match[str]:
    match = _RESOURCE.fullmatch(context.route.path)
    assert match is not None, "routes.find gave the path"
    return match


def _finished(film: _Film) -> Document:
    if film.vertex:
        made = {"gcsUri": "gs://simulated/film.mp4", "mimeType": "video/mp4"}
        return {"raiMediaFilteredCount": 0, "videos": [made] * film.films}
    sample = {"video": {"uri": "https://simulated.example/film.mp4"}}
    return {"generateVideoResponse": {"generatedSamples": [sample] * film.films}}


def _pictures(body: Object) -> Document:
    _instances(body)
    pictures = integer(entry(body, "parameters"), "sampleCount") or 1
    return {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": PICTURE}] * _bounded(pictures)}


def _predicted_embeddings(body: Object) -> Document:
    texts = [text(one, "content") for one in _instances(body)]
    return {
        "predictions": [
            {"embeddings": {"values": _vector(one), "statistics": {"truncated": False, "token_count": count(one)}}}
            for one in texts
        ]
    }


def embedding(said: str) -> tuple[list[float], int]:
    """The embedding of a text, and its tokens."""
    return _vector(said), count(said)


def embedded(request: Object) -> Document:
    """The answer to one request of a batch of embeddings, which has its tokens as text."""
    values, tokens = embedding(_said(request))
    return {"embedding": {"values": values}, "tokenCount": str(tokens)}


def _embed(body: Object) -> Document:
    values, tokens = embedding(_said(body))
    return {"embedding": {"values": values}, "usageMetadata": {"promptTokenCount": tokens}}


def _embed_all(body: Object) -> Document:
    texts = [_said(one) for one in entries(body, "requests")]
    if not texts:
        raise bad("* BatchEmbedContentsRequest.requests: at least one request is needed.")
    return {
        "embeddings": [{"values": _vector(one)} for one in texts],
        "usageMetadata": {"promptTokenCount": sum(map(count, texts))},
    }


_EMBEDS: dict[str, Callable[[Object], Document]] = {"embedContent": _embed, "batchEmbedContents": _embed_all}


def _said(request: Object) -> str:
    if value(request, "content") is None:
        raise bad("* EmbedContentRequest.content: contents is not specified")
    return " ".join(text(part, "text") for part in entries(entry(request, "content"), "parts"))


def _vector(said: str) -> list[float]:
    return [byte / 256 for byte in blake2b(said.encode(), digest_size=_DIMENSIONS).digest()]


def _instances(body: Object) -> list[Object]:
    instances = entries(body, "instances")
    if not instances:
        raise bad("The request has no instances.")
    return instances


def _bounded(asked: int) -> int:
    if not 0 < asked <= _MOST:
        raise bad(f"sampleCount must be from 1 to {_MOST}.")
    return asked
