"""Which requests say something of calls, by method and path alone.

Owns: the paths that generate content, those whose answers complete records, and those that explain later calls
(wire.md 2.1, 4, 5.1, 5.8). Not here: the allow-list of what may pass (`capture.admission`).
Invariant: a path that says nothing of a call gives None; the family depends on the path and nothing else.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from gembill.model import Api, Operation

_VERSION = r"/v\d+(?:alpha|beta)?\d*"
_PROJECT = r"/projects/[^/]+/locations/[^/]+"
_METHOD = r":(generateContent|streamGenerateContent|batchGenerateContent)"
_GEMINI = re.compile(rf"{_VERSION}/(?:models/([^/:]+)|((?:tunedModels|dynamic)/[^/:]+)){_METHOD}")
_VERTEX = re.compile(rf"{_VERSION}(?:{_PROJECT})?/(?:publishers/[^/]+/models/([^/:]+)|(endpoints/[^/:]+)){_METHOD}")
_INTERACTIONS = re.compile(rf"{_VERSION}({_PROJECT})?/interactions(?:/([^/:]+))?")
_CANCEL = re.compile(rf"{_VERSION}({_PROJECT})?/interactions/([^/:]+)/cancel")
_CHAT = re.compile(rf"{_VERSION}(?:/openai|({_PROJECT}/endpoints/[^/:]+))/chat/completions")
_CACHES = re.compile(rf"{_VERSION}({_PROJECT})?/cachedContents")
_BATCH = re.compile(rf"{_VERSION}/(batches/[^/:]+)")
_FILE = re.compile(rf"(?:/download)*{_VERSION}/(files/[^/:]+):download")
_VERTEX_FAMILY = re.compile(rf"(?:/(?:upload|download|resumable))*{_VERSION}/(?:projects|publishers|endpoints)/.+")


class Role(StrEnum):
    """What an exchange is to the ledger (contract.md, Calls and records)."""

    CALL = "call"  # it generates content: always a record
    ANSWER = "answer"  # a poll or a download: it can complete records of calls, and is not a call itself
    NOTICE = "notice"  # nothing to record, but later calls or answers cannot be understood without it


@dataclass(frozen=True, slots=True)
class Route:
    """What a path says of a call. `subject`: the interaction's id, or the name of the batch or file that is read."""

    api: Api
    operation: Operation
    model: str | None
    streamed: bool
    role: Role = Role.CALL
    subject: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether a file is downloaded; only its first byte shows whether it may hold results."""
        return (self.subject or "").startswith("files/")


def route(method: str, path: str) -> Route | None:
    """What `method` on `path` (without query) is to the ledger; None if it means nothing to it."""
    if method == "POST":
        return _generating(path) or _posted(path)
    return _read(path) if method == "GET" else None


def family(path: str) -> Api:
    """Which family of endpoints a path belongs to: `/v*/projects/...` and `/v*/publishers/...` are Vertex."""
    return Api.VERTEX if _VERTEX_FAMILY.fullmatch(path) else Api.GEMINI


def _generating(path: str) -> Route | None:
    for api, pattern in ((Api.GEMINI, _GEMINI), (Api.VERTEX, _VERTEX)):
        if match := pattern.fullmatch(path):
            model, method = match[1] or match[2], match[3]
            if method == "batchGenerateContent":
                return Route(api, Operation.BATCH, model, streamed=False, role=Role.NOTICE)
            return Route(api, Operation.GENERATE_CONTENT, model, method == "streamGenerateContent")
    return None


def _posted(path: str) -> Route | None:
    if match := _CANCEL.fullmatch(path):
        return _interaction(match)
    if (match := _INTERACTIONS.fullmatch(path)) and match[2] is None:
        return Route(_api(match[1]), Operation.INTERACTIONS, None, streamed=False)
    if match := _CHAT.fullmatch(path):
        return Route(_api(match[1]), Operation.OPENAI_CHAT, None, streamed=False)
    if match := _CACHES.fullmatch(path):
        return Route(_api(match[1]), Operation.GENERATE_CONTENT, None, streamed=False, role=Role.NOTICE)
    return None


def _read(path: str) -> Route | None:
    if (match := _INTERACTIONS.fullmatch(path)) and match[2]:
        return _interaction(match)
    if match := _BATCH.fullmatch(path) or _FILE.fullmatch(path):
        return Route(Api.GEMINI, Operation.BATCH, None, streamed=False, role=Role.ANSWER, subject=match[1])
    return None


def _interaction(match: re.Match[str]) -> Route:
    """The resource is read, or cancelled and then shown."""
    return Route(_api(match[1]), Operation.INTERACTIONS, None, streamed=False, role=Role.ANSWER, subject=match[2])


def _api(project: str | None) -> Api:
    return Api.VERTEX if project else Api.GEMINI
