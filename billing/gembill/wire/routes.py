"""What an exchange is to the ledger, by method and path alone.

Owns: the route of a request: whether it is a call, completes one, explains later ones or is nothing to us (wire.md 2.1,
4, 5.1, 5.8), and where it runs. Not here: the surfaces themselves (`surfaces`), what may pass (`capture.admission`).
Invariant: a POST is a call unless it is known to cost nothing; the family of a path never depends on anything else.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote

from gembill.model import Api, Operation
from gembill.wire.surfaces import FREE, SURFACES, Surface

_WHERE = re.compile(
    r"(?:/(?:upload|download|resumable))*/v\d+(?:(?:alpha|beta)\d*)?"
    r"(?:/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+))?/(?P<rest>.+)"
)
_VERTEX_FAMILY = re.compile(r"(?:publishers|endpoints|projects)/.+")
_READ_INTERACTION = re.compile(r"interactions/(?P<name>(?!live$)[^/:]+)")
_CANCELLED = re.compile(r"interactions/(?P<name>[^/:]+)/cancel")
_READ_BATCH = re.compile(r"(?P<name>batches/[^/:]+)")
_READ_FILE = re.compile(r"(?P<name>files/[^/:]+):download")
_READ_FILM = re.compile(r"(?P<name>(?:publishers/[^/:]+/)?models/[^/:]+/operations/[^/:]+)")
_CHANGED_CACHE = re.compile(r"(?P<name>cachedContents/[^/:]+)")
_FETCHED_FILM = re.compile(r"(?:publishers/[^/:]+/)?models/[^/:]+:fetchPredictOperation")
_LIVE = re.compile(  # SDKs whose base URL ends with a slash send two of them
    r"//?ws/google\.(?:ai\.generativelanguage|cloud\.(?P<vertex>aiplatform))\.v\w+\."
    r"(?:GenerativeService\.|LlmBidiService/)BidiGenerateContent(?:Constrained)?"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Role(StrEnum):
    """What an exchange is to the ledger (contract.md, Calls and records)."""

    CALL = "call"  # it may cost something: always a record
    ANSWER = "answer"  # a poll or a download: it can complete records of calls, and is none itself
    NOTICE = "notice"  # later calls or answers cannot be understood without it; no call in itself


@dataclass(frozen=True, slots=True)
class Route:
    """What a path says of a call. `subject`: the interaction's id, or the name of the batch, file or operation read.

    `project` and `location` are those of a Vertex path.
    """

    api: Api
    operation: str
    model: str | None
    streamed: bool
    role: Role = Role.CALL
    subject: str | None = None
    project: str | None = None
    location: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether a file is downloaded; only its first byte shows whether it may hold results."""
        return (self.subject or "").startswith("files/")


@dataclass(frozen=True, slots=True)
class _Place:
    """A path in its parts: where it runs, and what is behind version, project and location."""

    api: Api
    project: str | None
    location: str | None
    rest: str


def route(method: str, path: str) -> Route | None:
    """What `method` on `path` (no query) is to the ledger, or None if it is nothing to it.

    A percent-encoded path means what it decodes to (`models/x%3AgenerateContent`).
    """
    place = _place(decoded(path))
    if place is None:
        return _live(method, path)
    if method == "POST":
        return _posted(place)
    if method in ("PATCH", "DELETE"):
        return _changed(place)
    return _read(place) if method == "GET" else None


def decoded(path: str) -> str:
    """What a percent-encoded path means; one with an encoded slash stays as it is, because servers differ on it."""
    return path if "%2f" in path.lower() else unquote(path)


def family(path: str) -> Api:
    """Which family of endpoints a path belongs to: `/v*/projects/...` and `/v*/publishers/...` are Vertex."""
    place = _place(decoded(path))
    if place is not None:
        return place.api
    live = _LIVE.fullmatch(path)
    return Api.VERTEX if live is not None and live["vertex"] else Api.GEMINI


def is_live(path: str) -> bool:
    """Whether a path opens a session of the Live API by WebSocket (wire.md 10)."""
    return _LIVE.fullmatch(path) is not None


def _live(method: str, path: str) -> Route | None:
    """A session: model, project and location are in its first message."""
    if method != "GET" or not is_live(path):
        return None
    return Route(family(path), Operation.LIVE, None, streamed=True)


def _place(path: str) -> _Place | None:
    match = _WHERE.fullmatch(path)
    if match is None:
        return None
    vertex = match["project"] is not None or _VERTEX_FAMILY.fullmatch(match["rest"])
    return _Place(Api.VERTEX if vertex else Api.GEMINI, match["project"], match["location"], match["rest"])


def _posted(place: _Place) -> Route | None:
    if match := _CANCELLED.fullmatch(place.rest):
        return _answer(place, Operation.INTERACTIONS, match["name"])
    if _FETCHED_FILM.fullmatch(place.rest):
        return _answer(place, Operation.GENERATE_VIDEOS, None)
    for surface in SURFACES:
        if match := surface.pattern.fullmatch(place.rest):
            return _call(place, surface, match)
    if any(pattern.fullmatch(place.rest) for pattern in FREE):
        return None
    return Route(
        place.api,
        verb(place.rest),
        _model_in(place.rest),
        streamed=False,
        project=place.project,
        location=place.location,
    )


def _call(place: _Place, surface: Surface, match: re.Match[str]) -> Route:
    named = match.groupdict()
    return Route(
        place.api,
        surface.operation,
        named.get("model") or named.get("resource"),
        surface.streamed,
        role=Role.NOTICE if surface.submits else Role.CALL,
        project=place.project,
        location=place.location,
    )


def _read(place: _Place) -> Route | None:
    if match := _READ_INTERACTION.fullmatch(place.rest):
        return _answer(place, Operation.INTERACTIONS, match["name"])
    if match := _READ_BATCH.fullmatch(place.rest) or _READ_FILE.fullmatch(place.rest):
        return _answer(place, Operation.BATCH, match["name"])
    if match := _READ_FILM.fullmatch(place.rest):
        return _answer(place, Operation.GENERATE_VIDEOS, match["name"])
    return None


def _changed(place: _Place) -> Route | None:
    """A cached content is kept longer or shorter; nothing else that is changed has to do with money."""
    match = _CHANGED_CACHE.fullmatch(place.rest)
    return None if match is None else replace(_answer(place, Operation.CACHE_STORAGE, match["name"]), role=Role.NOTICE)


def _answer(place: _Place, operation: str, subject: str | None) -> Route:
    return Route(
        place.api,
        operation,
        None,
        streamed=False,
        role=Role.ANSWER,
        subject=subject,
        project=place.project,
        location=place.location,
    )


def verb(rest: str) -> str:
    """The operation of a path that no row names: its verb, else its last word, in snake case and at most 64 long."""
    last = rest.rpartition("/")[2]
    name = _CAPITAL.sub("_", last.rpartition(":")[2]).lower()
    return re.sub(r"[^a-z0-9_]+", "_", name)[:64].strip("_") or "unknown"


def _model_in(rest: str) -> str | None:
    match = re.search(r"(?:^|/)models/([^/:]+)", rest)
    return match[1] if match else None
