"""What a request asks for.

Owns: the request fields that accounting needs: tools, tier, cached content, and what makes two requests one
conversation (wire.md 1.6, 4). Not here: paths (`routes`). Invariant: snake_case and camelCase are read
alike; no text is kept.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from gembill.event import RequestFacts
from gembill.wire.json_text import lenient_fields, mappings_or_one, word
from gembill.wire.shape import Shape

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


class _Tool(Struct, frozen=True, gc=False):
    code_execution: Any = field(default=None, name="codeExecution")
    code_execution_snake: Any = field(default=None, name="code_execution")


class _Request(Struct, frozen=True, gc=False):
    contents: list[Raw] | None = None
    tools: list[_Tool] | None = None
    cached: Any = field(default=None, name="cachedContent")
    cached_snake: Any = field(default=None, name="cached_content")
    system: Raw = field(default=Raw(), name="systemInstruction")
    system_snake: Raw = field(default=Raw(), name="system_instruction")
    tier: Any = field(default=None, name="serviceTier")
    tier_snake: Any = field(default=None, name="service_tier")


_requests = Shape(_Request, lenient_fields)


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, bytes | None]:
    """What a generateContent request asks for, and the bytes whose keyed hash names its conversation.

    `body` is the JSON text, None if there is none. Where it cannot be read, it is not known what the tools declare.
    """
    asked = _requests.read(body) if body is not None else None
    if asked is None:
        return RequestFacts(model=model, unread=body is not None), None
    cached = word(_either(asked.cached, asked.cached_snake))
    turns = asked.contents or []
    return RequestFacts(
        model=model,
        declared=True if _declares(asked.tools or ()) else None if cached else False,
        service_tier=word(_either(asked.tier, asked.tier_snake), 64),
        cached_content=cached,
        turns=len(turns),
    ), _opening(asked, turns[0]) if turns else None


def _either(camel: object, snake: object) -> object:
    """Google takes a member in either spelling; null is none."""
    return snake if camel is None else camel


def _declares(tools: Iterable[_Tool]) -> bool:
    return any(_either(tool.code_execution, tool.code_execution_snake) is not None for tool in tools)


def _opening(asked: _Request, first: Raw) -> bytes:
    """What requests of one conversation share: the system instruction and the first content."""
    system = bytes(asked.system)
    if system in (b"", b"null"):
        system = bytes(asked.system_snake)
    return (_canonical(system) if system != b"null" else b"") + b"\n" + _canonical(bytes(first))


def declares_code_execution(tools: object) -> bool:
    """Whether tools allow code execution; `"codeExecution": null` is off."""
    names = ("codeExecution", "code_execution")
    return any(tool.get(name) is not None for tool in mappings_or_one(tools) for name in names)


def _canonical(text: bytes) -> bytes:
    """The same bytes for the same JSON value, however it was written; of no text none."""
    try:
        return _encode(_decode(text)) if text else text
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return text
