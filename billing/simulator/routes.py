"""The paths that the simulator answers.

Owns: which method of which model a request names, on either family of endpoints (gemini-api.md 5.1). Owns no answer.
Invariant: a request gives a `Route` or a `Refusal` with Google's status 404.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from billing.errors import Refusal
from billing.simulator.models import MODELS, Model

GENERATES = frozenset(("generateContent", "streamGenerateContent"))

_PATH = re.compile(
    r"/(?P<version>v1|v1alpha|v1beta|v1beta1)/(?:projects/[^/]+/locations/[^/]+/)?(?P<vertex>publishers/google/)?"
    r"models(?:/(?P<model>[^/:]+))?(?::(?P<operation>\w+))?"
)
_ACTIONS = GENERATES | {"countTokens"}


@dataclass(frozen=True, slots=True)
class Route:
    """A request's destination. `model` is None for the list of models; `operation` is empty for a GET."""

    path: str
    vertex: bool
    model: Model | None
    operation: str
    query: Mapping[str, str]

    @property
    def generates(self) -> bool:
        """Whether the request is a call in the sense of the ledger."""
        return self.operation in GENERATES

    @property
    def streams(self) -> bool:
        """Whether the answer comes in chunks."""
        return self.operation == "streamGenerateContent"

    @property
    def events(self) -> bool:
        """Whether the chunks are server-sent events; otherwise they are the elements of a JSON array."""
        return self.streams and self.query.get("alt") == "sse"


@lru_cache(maxsize=256)
def find(method: str, target: str) -> Route:
    """Where a request goes; raises `Refusal` (404) when that is nowhere."""
    parts = urlsplit(target)
    path = unquote(parts.path)
    found = _PATH.fullmatch(path)
    operation = found["operation"] or "" if found else ""
    fits = (method == "GET" and not operation) or (method == "POST" and operation in _ACTIONS)
    if found is None or not fits or (operation and not found["model"]):
        raise Refusal(404, "NOT_FOUND", f"The simulator has no {method} {path}.")
    name = found["model"]
    if name is not None and name not in MODELS:
        message = f"models/{name} is not found for API version {found['version']}; GET models lists those that are."
        raise Refusal(404, "NOT_FOUND", message)
    model = None if name is None else MODELS[name]
    return Route(path, found["vertex"] is not None, model, operation, dict(parse_qsl(parts.query)))
