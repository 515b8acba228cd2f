"""The paths that the simulator answers.

Owns: which method of which model or resource a request names, on either family of endpoints (wire.md 2.1 and
5.1). Not here: answers. Invariant: a request gives a `SimulatorRoute` or a `Refusal` with Google's status 404.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from gembill.errors import Refusal
from gembill_simulator.models import MEDIA_MODELS, MODELS, SimulatedModel

GENERATES = frozenset(("generateContent", "streamGenerateContent"))

_VERSION = r"/(?P<version>v1|v1alpha|v1beta|v1beta1)/"
_PATH = re.compile(
    _VERSION + r"(?:projects/[^/]+/locations/[^/]+/)?(?P<vertex>publishers/google/)?"
    r"models(?:/(?P<model>[^/:]+))?(?::(?P<operation>\w+))?"
)
_RESOURCE = re.compile(
    r"(?P<way>/upload|/download)?" + _VERSION + r"(?P<vertex>projects/[^/]+/locations/[^/]+/)?"
    r"(?P<surface>interactions|cachedContents|files|batches)(?:/(?P<name>[^/:]+))?(?:[:/](?P<operation>\w+))?"
)
_MEDIA = re.compile(
    _VERSION + r"(?:projects/[^/]+/locations/[^/]+/)?(?P<vertex>publishers/google/)?"
    r"models/(?P<model>[^/:]+)(?::(?P<operation>\w+)|/operations/(?P<name>\w+))"
)
_OPENAI = re.compile(_VERSION + r"openai/(?P<rest>chat/completions|embeddings|images/generations|models)")

_ACTIONS = {
    "": {"interactions", "cachedContents", "upload"},
    "cancel": {"interactions", "batches"},
}
_DELETABLE = ("interactions", "cachedContents", "files", "batches")


@dataclass(frozen=True, slots=True)
class SimulatorRoute:
    """A request's destination.

    `surface` is `models`, `interactions`, `cachedContents`, `files`, `upload`, `batches`, `media`, `completions` or
    `openai`, whose `operation` is the rest of its path.
    `model` is None for the list of models and outside of models, `name` empty for a list; `operation` is empty for a
    plain verb.
    """

    path: str
    vertex: bool
    model: SimulatedModel | None
    operation: str
    query: Mapping[str, str]
    surface: str = "models"
    method: str = "GET"
    name: str = ""
    family: str = ""

    @property
    def generates(self) -> bool:
        """Whether the request is a call in the sense of the ledger (batches aside: their entries are calls)."""
        if self.surface in ("interactions", "completions"):
            return self.method == "POST" and not self.operation
        return self.operation in GENERATES

    @property
    def streams(self) -> bool:
        """Whether the path says that the answer comes in chunks."""
        return self.operation == "streamGenerateContent"

    @property
    def events(self) -> bool:
        """Whether the chunks are server-sent events; otherwise they are the elements of a JSON array."""
        return self.streams and self.query.get("alt") == "sse"


@lru_cache(maxsize=256)
def find(method: str, target: str) -> SimulatorRoute:
    """Where a request goes; raises `Refusal` (404) when that is nowhere."""
    parts = urlsplit(target)
    path, query = unquote(parts.path), dict(parse_qsl(parts.query))
    if (match := _MEDIA.fullmatch(path)) is not None and match["model"] in MEDIA_MODELS:
        return _of_media(method, path, query, match)
    if (match := _PATH.fullmatch(path)) is not None:
        return _of_models(method, path, query, match)
    if (match := _RESOURCE.fullmatch(path)) is not None:
        return _of_resources(method, path, query, match)
    if (match := _OPENAI.fullmatch(path)) is not None and (method == "GET") is (match["rest"] == "models"):
        chats = match["rest"] == "chat/completions"
        surface, operation = ("completions", "") if chats else ("openai", match["rest"])
        return SimulatorRoute(path, False, None, operation, query, surface, method)
    raise _missing(method, path)


def model_named(name: str, version: str = "v1beta") -> SimulatedModel:
    """The model of this name, with or without `models/`; raises `Refusal` (404) for an unknown one."""
    bare = name.removeprefix("models/")
    if bare not in MODELS:
        message = f"models/{bare} is not found for API version {version}; GET models lists those that are."
        raise Refusal(404, "NOT_FOUND", message)
    return MODELS[bare]


def _of_media(method: str, path: str, query: dict[str, str], match: re.Match[str]) -> SimulatorRoute:
    operation, name, vertex = match["operation"] or "", match["name"] or "", match["vertex"] is not None
    known = operation in MEDIA_MODELS[match["model"]] if method == "POST" else method == "GET" and name
    if not known:
        raise _missing(method, path)
    surface = "batches" if operation == "asyncBatchEmbedContent" else "media"
    return SimulatorRoute(path, vertex, None, operation, query, surface, method, name)


def _of_models(method: str, path: str, query: dict[str, str], match: re.Match[str]) -> SimulatorRoute:
    operation, name = match["operation"] or "", match["model"]
    vertex = match["vertex"] is not None
    known = GENERATES | ({"countTokens"} if vertex else {"countTokens", "batchGenerateContent"})
    fits = (method == "GET" and not operation) or (method == "POST" and operation in known)
    if not fits or (operation and not name):
        raise _missing(method, path)
    model = None if name is None else model_named(name, match["version"])
    surface = "batches" if operation == "batchGenerateContent" else "models"
    return SimulatorRoute(path, vertex, model, operation, query, surface, method)


def _of_resources(method: str, path: str, query: dict[str, str], match: re.Match[str]) -> SimulatorRoute:
    surface, name, operation = match["surface"], match["name"] or "", match["operation"] or ""
    if match["way"] == "/upload":
        surface = "upload" if surface == "files" and not name else ""
    if not _fits(method, surface, name, operation):
        raise _missing(method, path)
    family = match["vertex"] or ""
    return SimulatorRoute(path, bool(family), None, operation, query, surface, method, name, family)


def _fits(method: str, surface: str, name: str, operation: str) -> bool:
    if method == "GET":
        lists = bool(name) or surface not in ("interactions", "upload")
        return bool(surface) and lists and (not operation or (surface, operation) == ("files", "download"))
    if method == "POST":
        return surface in _ACTIONS.get(operation, ()) and bool(name) == bool(operation)
    if method == "PATCH":
        return surface == "cachedContents" and bool(name) and not operation
    return method == "DELETE" and surface in _DELETABLE and bool(name) and not operation


def _missing(method: str, path: str) -> Refusal:
    return Refusal(404, "NOT_FOUND", f"The simulator has no {method} {path}.")
