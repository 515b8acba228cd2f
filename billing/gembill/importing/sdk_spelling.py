"""What SDKs write to a file: an answer with its names in snake_case, a request with what it asks below `config`.

Owns: telling them from what was on the wire, and the form that they have there. Not here: what members mean (the
dialects); the names of Interactions and of OpenAI's surfaces, which are in snake_case on the wire. Invariant: values
stay as they are, and what the API may have sent or got stays byte for byte.
"""

import re
from typing import Any

import msgspec

from gembill.wire.json_text import either, fields, mapping, value

_OF_SDKS = frozenset(("usage_metadata", "model_version"))  # no surface sends these; SDKs write one of them at least
_SNAKE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
_NEXT_WORD = re.compile(r"_([a-z0-9])")
_FOREIGN = frozenset(
    ("args", "response", "parsed", "automatic_function_calling_history")
)  # named by callers, not Google


def as_sent(answer: bytes) -> bytes:
    """The JSON text of an answer, or of one chunk of it, with the names that the API gives its members."""
    members = fields(answer)
    if members is None or _OF_SDKS.isdisjoint(members):
        return answer
    try:
        return msgspec.json.encode(_renamed(value(answer)))
    except (RecursionError, UnicodeError, msgspec.MsgspecError):
        return answer


def as_asked(request: bytes) -> bytes:
    """The JSON text of a request, with the members of the SDKs' `config` (tools, tier, cache) beside its `contents`.

    The API has no member of that name, so nothing that it got is changed.
    """
    members = fields(request)
    if members is None or not {"contents", "config"} <= members.keys():
        return request
    config = fields(members.pop("config")) or {}
    return msgspec.json.encode({**config, **members})


def headers_in(answer: bytes) -> dict[str, Any]:
    """The headers that SDKs keep in an answer: the tier that served may be named there alone (wire.md 1.6)."""
    kept = either(fields(answer) or {}, "sdk_http_response", "sdkHttpResponse")
    return mapping(mapping(value(kept)).get("headers"))


def _renamed(said: Any) -> Any:  # noqa: ANN401
    if isinstance(said, list):
        return [_renamed(inner) for inner in said]
    if not isinstance(said, dict):
        return said
    return {_camel_case(name): inner if name in _FOREIGN else _renamed(inner) for name, inner in said.items()}


def _camel_case(name: str) -> str:
    if _SNAKE.fullmatch(name) is None:
        return name
    return _NEXT_WORD.sub(lambda match: match[1].upper(), name)
