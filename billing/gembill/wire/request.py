"""What a request asks for.

Owns: the request fields that accounting needs: tools, tier, cached content, and the turns of a chat so far (wire.md
1.6, 4). Not here: paths (`routes`). Invariant: snake_case and camelCase are read alike; no text is kept.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw, Struct, field

from gembill.event import RequestFacts
from gembill.wire.json_text import lenient_fields, mappings_or_one, word
from gembill.wire.shape import Shape
from gembill.wire.turns import Said, Turns, turns


class _Tool(Struct, frozen=True, gc=False):
    code_execution: Any = field(default=None, name="codeExecution")
    code_execution_snake: Any = field(default=None, name="code_execution")


class _Request(Struct, frozen=True, gc=False):
    contents: list[Raw] | None = None
    tools: list[_Tool] | None = None
    cached: Any = field(default=None, name="cachedContent")
    cached_snake: Any = field(default=None, name="cached_content")
    tier: Any = field(default=None, name="serviceTier")
    tier_snake: Any = field(default=None, name="service_tier")


class _Call(Struct, frozen=True, gc=False):
    name: Any = None
    args: Any = None


class _Part(Struct, frozen=True, gc=False):
    text: Any = None
    thought: Any = None
    signature: Any = field(default=None, name="thoughtSignature")
    call: _Call | None = field(default=None, name="functionCall")
    call_snake: _Call | None = field(default=None, name="function_call")


class _Role(Struct, frozen=True, gc=False):
    role: Any = None


class _Content(Struct, frozen=True, gc=False):
    parts: list[_Part] | None = None


_requests = Shape(_Request, lenient_fields)
_roles, _contents = Shape(_Role, lenient_fields), Shape(_Content, lenient_fields)


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, Turns | None]:
    """What a generateContent request asks for, and digests of the turns that it repeats.

    `body` is the JSON text, None if there is none. Where it cannot be read, it is not known what the tools declare.
    """
    asked = _requests.read(body) if body is not None else None
    if asked is None:
        return RequestFacts(model=model, unread=body is not None), None
    cached, tier = _either(asked.cached, asked.cached_snake), _either(asked.tier, asked.tier_snake)
    cached = None if cached is None else word(cached)
    contents = asked.contents or []
    return RequestFacts(
        model=model,
        declared=True if _declares(asked.tools or ()) else None if cached else False,
        service_tier=None if tier is None else word(tier, 64),
        cached_content=cached,
        turns=len(contents),
    ), turns(contents, _read)


def _either(camel: object, snake: object) -> object:
    """Google takes a member in either spelling; null is none."""
    return snake if camel is None else camel


def _declares(tools: Iterable[_Tool]) -> bool:
    for tool in tools:  # noqa: SIM110 - with `any` this costs three times as much, in every call
        if tool.code_execution is not None or tool.code_execution_snake is not None:
            return True
    return False


def _read(content: Raw, said: Said | None) -> bool:
    """Whether a content is the model's; its words are added to what it said."""
    role = _roles.read(content)
    if role is None or role.role != "model":
        return False
    spoken = _contents.read(content) if said is not None else None
    for part in (spoken.parts or ()) if spoken is not None else ():
        _add(part, said)
    return True


def _add(part: _Part, said: Said | None) -> None:
    assert said is not None
    said.add_signature(part.signature)
    call = part.call or part.call_snake
    if call is not None:
        said.add_call(call.name, call.args)
    elif isinstance(part.text, str) and part.thought is not True:
        said.add_text(part.text)


def declares_code_execution(tools: object) -> bool:
    """Whether tools allow code execution; `"codeExecution": null` is off."""
    names = ("codeExecution", "code_execution")
    return any(tool.get(name) is not None for tool in mappings_or_one(tools) for name in names)
