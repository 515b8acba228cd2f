"""The OpenAI-compatible endpoints beside chat: embeddings, pictures, the list of models.

Owns: reading their requests and writing their answers (wire.md 5.1). Not here: completions, and what an embedding or a
picture is (`media`). Invariant: an embedding counts the tokens of its input; any JSON gives an answer or a `Refusal`.
"""

import struct
from base64 import b64encode

from gembill_simulator import frames
from gembill_simulator.context import RequestContext
from gembill_simulator.fields import Json, Object, bad, decode, integer, text, value
from gembill_simulator.frames import Reply
from gembill_simulator.media import PICTURE, embedding
from gembill_simulator.models import MODELS
from gembill_simulator.wire import Document

_MOST = 8


def reply(context: RequestContext) -> Reply:
    """Answer a request; raises `Refusal` (400) for one that cannot be answered."""
    if context.route.operation == "models":
        shown = [{"id": f"models/{name}", "object": "model", "owned_by": "google"} for name in MODELS]
        return frames.plain(200, {"object": "list", "data": shown})
    body = decode(context.body)
    if context.route.operation == "embeddings":
        return frames.plain(200, _embeddings(body))
    return frames.plain(200, _pictures(body) | {"created": int(context.now.timestamp())})


def _embeddings(body: Object) -> Document:
    given = value(body, "input")
    inputs = given if isinstance(given, list) else [given]
    if not inputs or not all(isinstance(one, str) for one in inputs):
        raise bad("The input must be a text or a list of texts.")
    packed = text(body, "encoding_format") == "base64"  # the default of OpenAI's Python client
    made = [embedding(one) for one in inputs]
    tokens = sum(count for _, count in made)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _packed(values) if packed else values}
            for index, (values, _) in enumerate(made)
        ],
        "model": text(body, "model"),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(values: list[float]) -> Json:
    return b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _pictures(body: Object) -> Document:
    if not text(body, "prompt"):
        raise bad("The request has no prompt.")
    wanted = integer(body, "n") or 1
    if not 0 < wanted <= _MOST:
        raise bad(f"n must be from 1 to {_MOST}.")
    return {"data": [{"b64_json": PICTURE}] * wanted}
