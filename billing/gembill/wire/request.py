"""What a request asks for.

Owns: the request fields that accounting needs: tools, tier, cached content, and what makes two requests one
conversation (wire.md 1.6, 4). Owns no path and keeps no text. Invariant: snake_case and camelCase are read alike.
"""

import msgspec

from gembill.model import RequestFacts
from gembill.wire.json_text import fields, items, mapping, mappings, value, word


def asked(body: bytes | None, model: str | None) -> tuple[RequestFacts, bytes | None]:
    """What a generateContent request asks for, and the bytes whose keyed hash names its conversation.

    `body` is the JSON text, None if it could not be read: then what the tools declare is not known.
    """
    found = fields(body) if body is not None else None
    if found is None:
        return RequestFacts(model=model), None
    tools = value(found.get("tools"))
    cached = word(value(_either(found, "cachedContent", "cached_content")))
    turns = _turns(found.get("contents"))
    basis = None
    if turns:
        system = _either(found, "systemInstruction", "system_instruction")
        basis = _canonical(system) + b"\n" + _canonical(turns[0])
    tier = word(value(_either(found, "serviceTier", "service_tier")), 64)
    return RequestFacts(
        model=model,
        declared=True if declares(tools) else None if cached else False,
        service_tier=tier,
        cached_content=cached,
        turns=len(turns),
    ), basis


def declares(tools: object) -> bool:
    """Whether a list of tools allows code execution; `"codeExecution": null` is off."""
    return any(tool.get(name) is not None for tool in mappings(tools) for name in ("codeExecution", "code_execution"))


def _either(found: dict[str, msgspec.Raw], *names: str) -> msgspec.Raw | None:
    return next((found[name] for name in names if name in found), None)


def _turns(contents: msgspec.Raw | None) -> list[msgspec.Raw]:
    if contents is None:
        return []
    found = items(contents)
    if found is None:
        return [contents] if mapping(value(contents)) else []
    return found


def _canonical(text: msgspec.Raw | None) -> bytes:
    """The same bytes for the same JSON value, however it was written."""
    if text is None:
        return b""
    try:
        return msgspec.json.encode(msgspec.json.decode(text), order="sorted")
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return bytes(text)
