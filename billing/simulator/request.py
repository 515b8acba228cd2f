"""What a request asks for.

Owns: reading the JSON of a generateContent request, in camelCase and snake_case (gemini-api.md 3 and 4). Owns no
answer. Invariant: any JSON gives an `Ask` or a `Refusal` with Google's status 400; nothing else is raised.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from billing.errors import Refusal
from billing.simulator.tokens import Tally, count, count_media

Json = Any  # decoded JSON: its shape is what this module finds out


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, read. `prompt` counts contents and system instruction; `question` is the last user text."""

    prompt: Tally
    question: str
    code_allowed: bool
    cached_content: str | None = None
    thinks: bool | None = None
    shows_thoughts: bool = False
    most_tokens: int | None = None
    tier: str = "standard"


def decode(body: bytes) -> dict[str, Json]:
    """The JSON object of a body; raises `Refusal` (400) for anything else."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise _bad("Invalid JSON payload received. The body cannot be read as JSON.") from reason
    if not isinstance(found, dict):
        raise _bad("Invalid JSON payload received. The root element must be an object.")
    return found


def read(document: dict[str, Json]) -> Ask:
    """The meaning of a generateContent body; raises `Refusal` (400) where a field has the wrong shape."""
    contents = _objects(document, "contents")
    if not contents:
        raise _bad("* GenerateContentRequest.contents: contents is not specified")
    config = _object(document, "generationConfig")
    thinking = _object(config, "thinkingConfig")
    budget = _integer(thinking, "thinkingBudget")
    name = _text(document, "cachedContent")
    return Ask(
        prompt=sum((_count_content(content) for content in _all_contents(document, contents)), Tally()),
        question=_question(contents),
        # The simulator keeps no caches. Tools cannot stand beside a cache, so the cache is taken to hold them.
        code_allowed=bool(name) or _declares_code(document),
        cached_content=name or None,
        thinks=None if budget is None else budget != 0,
        shows_thoughts=_field(thinking, "includeThoughts") is True,
        most_tokens=_integer(config, "maxOutputTokens") or None,
        tier=_tier(document),
    )


def count_prompt(document: dict[str, Json]) -> Tally:
    """The tokens that countTokens reports: of `generateContentRequest` if there is one, else of the body."""
    inner = _object(document, "generateContentRequest") or document
    contents = _objects(inner, "contents")
    if not contents:
        raise _bad("* CountTokensRequest.contents: contents is not specified")
    return sum((_count_content(content) for content in _all_contents(inner, contents)), Tally())


def _all_contents(document: dict[str, Json], contents: list[dict[str, Json]]) -> list[dict[str, Json]]:
    return [_object(document, "systemInstruction"), *contents]


def _declares_code(document: dict[str, Json]) -> bool:
    # A null beside other tools means that the tool is off.
    return any(_field(tool, "codeExecution") is not None for tool in _objects(document, "tools"))


def _question(contents: list[dict[str, Json]]) -> str:
    for content in reversed(contents):
        if _text(content, "role") in ("", "user"):
            return " ".join(_text(part, "text") for part in _objects(content, "parts"))
    return ""


def _tier(document: dict[str, Json]) -> str:
    asked = _text(document, "serviceTier").lower().removeprefix("service_tier_")
    return asked if asked in ("flex", "priority") else "standard"


def _count_content(content: dict[str, Json]) -> Tally:
    return sum((_count_part(part) for part in _objects(content, "parts")), Tally())


def _count_part(part: dict[str, Json]) -> Tally:
    for key in ("inlineData", "fileData"):
        if data := _object(part, key):
            return count_media(_text(data, "mimeType"))
    for key in ("functionCall", "functionResponse"):
        if call := _object(part, key):
            return Tally(text=count(msgspec.json.encode(call).decode()))
    code, result = _object(part, "executableCode"), _object(part, "codeExecutionResult")
    return Tally(text=count(_text(part, "text")) + count(_text(code, "code")) + count(_text(result, "output")))


@cache
def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


def _field(holder: dict[str, Json], name: str) -> Json:
    found = holder.get(name)
    return holder.get(_snake(name)) if found is None else found


def _object(holder: dict[str, Json], name: str) -> dict[str, Json]:
    found = _field(holder, name)
    if found is None:
        return {}
    if isinstance(found, dict):
        return found
    raise _wrong(name, "an object")


def _objects(holder: dict[str, Json], name: str) -> list[dict[str, Json]]:
    found = _field(holder, name)
    if found is None:
        return []
    if isinstance(found, dict):  # the API takes one object for a list of one
        return [found]
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    raise _wrong(name, "a list of objects")


def _text(holder: dict[str, Json], name: str) -> str:
    found = _field(holder, name)
    if found is None:
        return ""
    if isinstance(found, str):
        return found
    raise _wrong(name, "a string")


def _integer(holder: dict[str, Json], name: str) -> int | None:
    found = _field(holder, name)
    if found is None or (isinstance(found, int) and not isinstance(found, bool)):
        return found
    raise _wrong(name, "an integer")


def _wrong(name: str, wanted: str) -> Refusal:
    return _bad(f"Invalid JSON payload received. Invalid value at '{name}': it must be {wanted}.")


def _bad(message: str) -> Refusal:
    return Refusal(400, "INVALID_ARGUMENT", message)
