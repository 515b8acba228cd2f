"""Sessions of the Live API, in text.

Owns: the messages of a session and its turns (wire.md 10). Not here: frames of a WebSocket (`connection`), sound and
video. Invariant: each turn is answered as generateContent answers the same contents, and its last message has the usage
of that turn, with the names that Live has for its counts.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gembill.errors import Refusal
from gembill_simulator import answer, request, wire
from gembill_simulator.fields import Object, decode, entries, entry, text, value
from gembill_simulator.models import MODELS
from gembill_simulator.names import IdFactory, id_text
from gembill_simulator.wire import Document, Stamp

_PATH = re.compile(r"//?ws/google\.ai\.generativelanguage\.v1\w*\.GenerativeService\.BidiGenerateContent(?:\?.*)?")
_LIKE = "gemini-2.5-flash"  # what a model answers like that is known to Live alone
_NAMES = {"candidatesTokenCount": "responseTokenCount", "candidatesTokensDetails": "responseTokensDetails"}


def is_session(target: str) -> bool:
    """Whether a request to upgrade begins a session."""
    return _PATH.fullmatch(target) is not None


class Conversation:
    """One session: give it what the client says, send what it gives back. `log` hears of each turn's id and usage."""

    def __init__(self, names: IdFactory, log: Callable[[str, dict[str, Any]], None]) -> None:
        self._names = names
        self._log = log
        self._setup: Object | None = None
        self._contents: list[Object] = []

    def said(self, message: bytes) -> list[bytes]:
        """The messages that answer this one. Raises `Refusal` (400) where the session has to end."""
        document = decode(message)
        if self._setup is None:
            self._setup = entry(document, "setup")
            return [b'{"setupComplete": {}}']
        spoken = text(entry(document, "realtimeInput"), "text")
        if spoken:
            self._contents.append({"role": "user", "parts": [{"text": spoken}]})
            return self._answered()
        turn = entry(document, "clientContent")
        self._contents += entries(turn, "turns")
        return self._answered() if turn and value(turn, "turnComplete") is not False else []

    def _answered(self) -> list[bytes]:
        assert self._setup is not None
        model = MODELS.get(text(self._setup, "model").removeprefix("models/"), MODELS[_LIKE])
        asked = {**self._setup, "contents": self._contents}
        origin = self._names.origin("live", msgspec.json.encode(asked))
        stamp = Stamp(id_text(self._names.draw(origin)))
        documents = wire.chunks(answer.compose(request.read(asked), model, seed=origin), stamp)
        counts = documents[-1]["usageMetadata"]
        usage = {_NAMES.get(name, name): count for name, count in counts.items() if name != "serviceTier"}
        contents = [document["candidates"][0]["content"] for document in documents]
        self._contents.append({"role": "model", "parts": [part for one in contents for part in one["parts"]]})
        self._log(stamp.response_id, usage)
        return [msgspec.json.encode(message) for message in _messages(contents, usage)]


def _messages(contents: list[Document], usage: Document) -> Iterator[Document]:
    for content in contents:
        yield {"serverContent": {"modelTurn": content}}
    yield {"serverContent": {"generationComplete": True}}
    yield {"serverContent": {"turnComplete": True}, "usageMetadata": usage}


def refused(refusal: Refusal) -> str:
    """Why a session ends, as the reason of its last frame, which has at most 123 bytes."""
    return str(refusal).encode()[:120].decode("utf-8", "ignore")
