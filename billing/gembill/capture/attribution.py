"""Who makes a call: the key that is presented and the labels that are given.

Owns: which parts of a request are credentials (wire.md 5.3), who stands behind a token, the label headers with their
limits, and the callers of late, so that the same headers are read once. Not here: storing either. Invariant: a
credential leaves this file only to be hashed, forwarded or struck out; callers are remembered in memory alone, at most
`_CALLERS` of them here, and none of many labels, beside those of the heads that `admission` keeps.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from gembill.wire.json_text import word

LABEL_PREFIX = b"x-gembill-label-"
CONVERSATION_LABEL = "conversation"
"""The label by which a caller names the chat that a call is a turn of."""
MAX_LABELS, MAX_NAME, MAX_VALUE = 64, 64, 256
_SHORTEST_SECRET = 6  # shorter strings are struck out of nothing: they would hit ordinary words
_API_KEYS = (b"key", b"$key")
_QUERY_KEYS = (*_API_KEYS, b"access_token", b"oauth_token")
KEY_SHAPES = r"AIza[0-9A-Za-z_\-]{10,}|AQ\.[0-9A-Za-z_\-]{10,}|ya29\.[0-9A-Za-z_\-.]+"
"""Google's keys of both kinds and its tokens, as a regular expression."""
_KEY_SHAPE = re.compile(KEY_SHAPES)
_KEY_BEGINS = (b"AIza", b"AQ.")  # OpenAI's clients present an API key as a bearer
_REDACTED = "[redacted]"
_CALLER_HEADERS = frozenset((b"x-goog-api-key", b"authorization", b"x-goog-user-project", b"x-goog-quota-user"))
_CALLERS = 256
_LARGEST_KEPT = 4 * 1024  # bytes: what is larger is read each time, so that memory is bounded

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Caller:
    """`credentials` as presented, the one that identifies the caller first; never printed."""

    credentials: tuple[bytes, ...]
    labels: dict[str, str]
    labels_cut: bool
    payers: tuple[str, ...] | None = None
    """The quota project and quota user, if named, of one who presents a token alone; None with an API key."""
    secrets: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    """The credentials as a JSON text shows them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "secrets", tuple(secret for one in self.credentials for secret in _in_json(one)))

    def __repr__(self) -> str:
        return f"Caller({len(self.credentials)} credentials, labels={self.labels})"

    def shows_in(self, text: bytes) -> bool:
        """Whether a credential is in a JSON text, as it is or escaped."""
        for secret in self.secrets:  # noqa: SIM110 - most have one secret, for which `any` would make three objects
            if secret in text:
                return True
        return False

    @property
    def identity(self) -> bytes | None:
        """The credential that stands for the caller."""
        return self.credentials[0] if self.credentials else None

    def account(self, project: str | None) -> str | None:
        """What stays the same of one who presents a token, which is another one every hour: the project of the path and
        whoever is named beside it. None with an API key, and where nothing is known but the token."""
        return (
            "/".join(dict.fromkeys(filter(None, (project, *self.payers)))) or None if self.payers is not None else None
        )


def about_caller(headers: Iterable[Header]) -> tuple[Header, ...]:
    """The headers that say who calls, in their order."""
    return tuple([pair for pair in headers if pair[0] in _CALLER_HEADERS or pair[0].startswith(LABEL_PREFIX)])


def caller_of(headers: Iterable[Header], query: bytes) -> Caller:
    """The caller of a request, by its headers or those of them that are `about_caller`. Header names are lower case."""
    own = about_caller(headers)
    query = query if may_name_caller(query) else b""
    size = len(query) + sum([len(name) + len(value) for name, value in own])
    return _caller_again(own, query) if size <= _LARGEST_KEPT else _caller(own, query)


def may_name_caller(query: bytes) -> bool:
    """Whether a query may hold a credential or a quota user; else the headers alone say who calls."""
    return b"key" in query or b"_token" in query or b"quotaUser" in query or b"%" in query


def _caller(headers: tuple[Header, ...], query: bytes) -> Caller:
    bearers = _in_authorization(headers)
    credentials = [*_in_headers(headers, b"x-goog-api-key"), *_in_query(query, _QUERY_KEYS), *bearers]
    names: dict[str, str] = {}
    cut = False
    for name, value in headers:
        if name.startswith(LABEL_PREFIX):
            label, text = (strike(_decode(raw), credentials) for raw in (name[len(LABEL_PREFIX) :], value))
            kept = word(label, MAX_NAME)
            if kept is None or (kept not in names and len(names) >= MAX_LABELS):
                cut = True
                continue
            names[kept] = word(text, MAX_VALUE) or ""
            cut = cut or kept != label or names[kept] != text
    return Caller(tuple(dict.fromkeys(credentials)), names, cut, _payers(headers, query, credentials, bearers))


_caller_again = lru_cache(maxsize=_CALLERS)(_caller)


def _payers(
    headers: tuple[Header, ...], query: bytes, credentials: list[bytes], bearers: list[bytes]
) -> tuple[str, ...] | None:
    keys = [*_in_headers(headers, b"x-goog-api-key"), *_in_query(query, _API_KEYS)]
    if not credentials or keys or any(bearer.startswith(_KEY_BEGINS) for bearer in bearers):
        return None
    users = [*_in_headers(headers, b"x-goog-quota-user"), *_in_query(query, (b"quotaUser",))]
    named = [strike(_decode(raw), credentials) for raw in (*_in_headers(headers, b"x-goog-user-project"), *users[:1])]
    return tuple(text for name in named if (text := word(name, MAX_NAME)))


def strike(text: str, credentials: Iterable[bytes]) -> str:
    """The text without any of the credentials."""
    for credential in credentials:
        for secret in _spellings(credential):
            text = text.replace(secret, _REDACTED)
    return text


def may_show_key(text: bytes) -> bool:
    """Whether a text may hold something in the shape of a key of Google's."""
    return b"AIza" in text or b"AQ." in text or b"ya29." in text


def without_keys(value: Any) -> Any:  # noqa: ANN401
    """A JSON value without what has the shape of a key, whoever typed it where a name belongs; names of members too."""
    if isinstance(value, str):
        return _KEY_SHAPE.sub(_REDACTED, value)
    if isinstance(value, dict):
        return {without_keys(name): without_keys(inner) for name, inner in value.items()}
    return [without_keys(inner) for inner in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=_CALLERS)
def _spellings(credential: bytes) -> tuple[str, ...]:
    """A credential as text: in the two ways that bytes of a header become text, as it is or escaped inside JSON."""
    if len(credential) < _SHORTEST_SECRET:
        return ()
    plain = (credential.decode("latin-1"), credential.decode("utf-8", "replace"))
    escaped = (json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in plain for ascii_only in (True, False))
    return tuple(dict.fromkeys((*plain, *escaped)))


@lru_cache(maxsize=_CALLERS)
def _in_json(credential: bytes) -> tuple[bytes, ...]:
    """The spellings as they appear in a JSON text."""
    return tuple(json.dumps(secret, ensure_ascii=False)[1:-1].encode() for secret in _spellings(credential))


def _decode(raw: bytes) -> str:
    """Header bytes as text, without NUL: taken out later it could join the halves of a credential."""
    try:
        return raw.decode().replace("\0", "")
    except UnicodeDecodeError:
        return raw.decode("latin-1").replace("\0", "")


def _in_headers(headers: Iterable[Header], wanted: bytes) -> list[bytes]:
    return [value.strip() for name, value in headers if name == wanted and value.strip()]


def _in_authorization(headers: Iterable[Header]) -> list[bytes]:
    return [value.split(None, 1)[-1] for value in _in_headers(headers, b"authorization")]


def _in_query(query: bytes, names: tuple[bytes, ...]) -> list[bytes]:
    """The values of these names, each decoded and as it came."""
    values: list[bytes] = []
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if value and unquote_to_bytes(name) in names:
            values += [unquote_to_bytes(value.replace(b"+", b" ")), value]
    return values
