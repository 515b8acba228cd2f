"""What a request asks for.

Owns: the request fields that accounting needs: tools, tier, cached content, and what makes two requests one
conversation (wire.md 1.6, 4). Not here: paths (`routes`). Invariant: snake_case and camelCase are read
alike; no text is kept.
"""

import msgspec

from gembill.event import RequestFacts
from gembill.wire.json_text import either, fields, items, mapping, mappings, value, word


def request_facts(body: bytes | None, model: str | None) -> tuple[RequestFacts, bytes | None]:
    """What a generateContent request asks for, and the bytes whose keyed hash names its conversation.

    `body` is the JSON text, None if it could not be read: then it is not known what the tools declare.
    """
    members = fields(body) if body is not None else None
    if members is None:
        return RequestFacts(model=model), None
    tools = value(members.get("tools"))
    cached = word(value(either(members, "cachedContent", "cached_content")))
    turns = _turns(members.get("contents"))
    basis = None
    if turns:
        system = either(members, "systemInstruction", "system_instruction")
        basis = _canonical(system) + b"\n" + _canonical(turns[0])
    tier = word(value(either(members, "serviceTier", "service_tier")), 64)
    return RequestFacts(
        model=model,
        declared=True if declares_code_execution(tools) else None if cached else False,
        service_tier=tier,
        cached_content=cached,
        turns=len(turns),
    ), basis


def declares_code_execution(tools: object) -> bool:
    """Whether a list of tools allows code execution; `"codeExecution": null` is off."""
    return any(tool.get(name) is not None for tool in mappings(tools) for name in ("codeExecution", "code_execution"))


def _turns(contents: msgspec.Raw | None) -> list[msgspec.Raw]:
    if contents is None:
        return []
    turns = items(contents)
    if turns is None:
        return [contents] if mapping(value(contents)) else []
    return turns


def _canonical(text: msgspec.Raw | None) -> bytes:
    """The same bytes for the same JSON value, however it was written."""
    if text is None:
        return b""
    try:
        return msgspec.json.encode(msgspec.json.decode(text), order="sorted")
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return bytes(text)
