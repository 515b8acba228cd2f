"""One exchange as a file holds it.

Owns: what every format is brought to, its identity, and which of a file's times is taken (contract.md, Import). Not
here: formats and metering. Invariant: the identity follows from time, request and answer, whatever file holds them, and
no credential is part of it; a time comes from the file or the user, never from a clock; without an offset it is UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gembill.capture.attribution import LABEL_PREFIX, Header
from gembill.capture.documents import Documents
from gembill.errors import ConfigurationError
from gembill.event import Event
from gembill.importing.member import RefusedLine, shown
from gembill.period import instant, zone
from gembill.rules.identity import natural
from gembill.wire.json_text import word
from gembill.wire.routes import Route

_DECODED = (b"content-encoding", b"transfer-encoding", b"content-length")  # of the wire; a file holds what it carried
_MAX_HEADER = 16 * 1024
_UTC = zone("UTC")


@dataclass(frozen=True, slots=True)
class ImportDefaults:
    """What the user says of exchanges that do not say it: their time in microseconds, and the model that was asked."""

    occurred_us: int | None = None
    model: str | None = None

    def completed(self, event: Event) -> Event:
        """The event with the model that was asked for, where neither path nor body name one."""
        asked = event.asked
        if self.model is None or asked.model is not None or asked.agent is not None:
            return event
        return msgspec.structs.replace(event, asked=msgspec.structs.replace(asked, model=self.model))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedExchange:
    """An exchange. `status` is None where no answer came; `cut` where one broke off. Bodies are decoded bytes."""

    route: Route
    method: str
    path: str
    query: bytes
    occurred_us: int
    ended_us: int | None = None
    request_headers: list[Header]
    request: bytes
    status: int | None
    response_headers: list[Header]
    answer: bytes
    cut: bool = False

    @property
    def identity(self) -> tuple[int, str]:
        """The source and id it has wherever it is imported (contract.md, Identity).

        Bodies count as the JSON documents they carry, so that neither spacing, order of keys nor framing matters. As
        long strings are elided there, `capture.documents.LONG` is part of this definition.
        """
        digest = sha256()
        for part in (str(self.occurred_us), self.method, self.path, str(self.status)):
            _add(digest, part.encode("utf-8", "replace"))
        for body in (self.request, self.answer):
            documents = _documents(body)
            _add(digest, b"%d" % len(documents))
            for document in documents:
                _add(digest, document)
        return natural("import", digest.hexdigest())


def checked(route: Route) -> Route:
    """The route. Refused where a name in its path cannot be kept."""
    for name in (route.model, route.subject):
        if name is not None and word(name) != name:
            raise RefusedLine(f"its path names '{shown(name)}', which is not the name of a model, interaction or batch")
    return route


def target(url: str) -> tuple[str, bytes]:
    """Path and query of a path or a whole address."""
    if not url.startswith(("/", "http://", "https://")):
        raise RefusedLine("its path does not begin with / or https://")  # not shown: it may hold a key
    try:
        parts = urlsplit(url)
    except ValueError:
        raise RefusedLine("its address cannot be read") from None
    return parts.path or "/", parts.query.encode("utf-8", "replace")


def occurred_us(given: str | None, recorded_at: str | None, headers: Iterable[Header], assumed_us: int | None) -> int:
    """Microseconds of the exchange: as given, else when it was recorded, else by its date header, else as assumed.

    Refused where the given time cannot be read, and where there is none at all. A `recorded_at` or a date header that
    cannot be read counts as none: other programs wrote them for other ends.
    """
    if given is not None:
        moment_us = _instant_us(given)
        if moment_us is None:
            raise RefusedLine(f"its time is '{shown(given)}'; write it like 2026-11-21T09:00:00Z")
        return moment_us
    dates = (value.decode("latin-1") for name, value in headers if name == b"date")
    for text in (recorded_at, *dates):
        if text is not None and (moment_us := _instant_us(text)) is not None:
            return moment_us
    if assumed_us is None:
        raise RefusedLine("it does not say when it took place; give --occurred-at, or add occurred_at to it")
    return assumed_us


def _instant_us(text: str) -> int | None:
    """Microseconds of an ISO 8601 instant or of an HTTP date (RFC 9110 5.6.7); None if it is neither."""
    try:
        return instant(text, _UTC)
    except (ConfigurationError, OverflowError):
        pass
    try:
        return instant(parsedate_to_datetime(text).isoformat(), _UTC)
    except (ValueError, TypeError, OverflowError, IndexError, ConfigurationError):
        return None


def header(name: str, value: object) -> Header:
    """A header as the capture takes it."""
    return (word(name.lower()) or "").encode(), (word(value, _MAX_HEADER) or "").encode()


def decoded(headers: Iterable[Header]) -> list[Header]:
    """The headers without those that speak of an encoding the file has undone."""
    return [(name, value) for name, value in headers if name not in _DECODED]


def labelled(labels: dict[str, Any]) -> list[Header]:
    """Labels as the headers that would have carried them: limits and cleaning are those of `capture.attribution`."""
    headers = []
    for name, value in labels.items():
        if not isinstance(value, str) and type(value) is not int:
            raise RefusedLine(f"label '{shown(name)}' is not a text")
        key = LABEL_PREFIX + name.lower().encode("utf-8", "replace")
        headers.append((key, str(value).encode("utf-8", "replace")))
    return headers


def _documents(body: bytes) -> list[bytes]:
    framing = Documents()
    return [_canonical(document) for document in (*framing.feed(body), *framing.close())] or [body]


def _canonical(document: bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(document), order="sorted")
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return document


def _add(digest: Any, part: bytes) -> None:  # noqa: ANN401
    digest.update(b"%d:" % len(part))
    digest.update(part)
