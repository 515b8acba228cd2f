"""The steps of an interaction, as parts of an outline (wire.md 2.4).

Owns: of a step, of an old output and of a delta `type`, `id`, `call_id`, `arguments{code, language}`, `result`,
`is_error`, `content`, `text`, `summary`, `data`, `mime_type`. Not here: documents and the order of steps.
Invariant: a part holds no text; a step of unknown type gives a part of kind `tool` or `other`.
"""

import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from gembill.event import Part
from gembill.wire import execution
from gembill.wire.json_text import mapping, mappings, size, word

OK, ERROR = "ok", "is_error"
_BLOBS = ("image", "audio", "video", "document", "file")
_KINDS = {"function_call": "function_call", "function_result": "function_response"}


def parts(step: dict[str, Any]) -> Iterator[Part]:
    """The parts of a whole step, of the beginning of one, or of an output of the old schema."""
    kind = step.get("type")
    if kind == "code_execution_call":
        yield _with_code(Part(kind="code", id=word(step.get("id"))), mapping(step.get("arguments")))
    elif kind == "code_execution_result":
        yield _with_result(Part(kind="result", id=word(step.get("call_id")), outcome=OK), step)
    elif kind == "model_output":
        for content in mappings(step.get("content")):
            yield _content(content)
    elif kind == "thought":
        yield from _thought(step)
    elif kind != "user_input":
        yield _content(step)


def delta(piece: dict[str, Any]) -> Iterator[Part]:
    """The parts that a delta of a step adds to those of its beginning."""
    kind = piece.get("type")
    if kind == "thought_summary":
        yield Part(kind="text", thought=True, chars=size(mapping(piece.get("content")).get("text")))
    elif kind in ("code_execution_call", "code_execution_result"):
        yield from parts(piece)
    elif kind == "text" or kind in _BLOBS:
        yield _content(piece)


def completed(part: Part, piece: dict[str, Any]) -> Part:
    """The code or result with one more delta of it."""
    part = replace(part, id=part.id or word(piece.get("id" if part.kind == "code" else "call_id")))
    if part.kind == "result":
        return _with_result(part, piece)
    arguments = piece.get("arguments")
    if isinstance(arguments, str):  # `arguments_delta` carries JSON text in pieces
        return _with_code(part, {"code": arguments})
    return _with_code(part, mapping(arguments))


def _with_code(part: Part, arguments: dict[str, Any]) -> Part:
    code = arguments.get("code")
    text = code if isinstance(code, str) else ""
    return replace(
        part,
        language=part.language or word(arguments.get("language"), 32),
        chars=part.chars + size(text),
        digest=execution.digest(text, part.digest) if text else part.digest,
        tool_call_as_code=part.tool_call_as_code or (execution.tool_call_as_code(text) if not part.chars else None),
    )


def _with_result(part: Part, piece: dict[str, Any]) -> Part:
    result = piece.get("result")
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False) if result else ""
    return replace(
        part,
        outcome=ERROR if piece.get("is_error") is True else part.outcome,
        chars=part.chars + size(text),
        digits=part.digits + execution.digits(text),
    )


def _thought(step: dict[str, Any]) -> Iterator[Part]:
    chars = sum(size(entry.get("text")) for entry in mappings(step.get("summary")))
    if chars:
        yield Part(kind="text", thought=True, chars=chars)


def _content(content: dict[str, Any]) -> Part:
    kind = content.get("type")
    if kind == "text":
        return Part(kind="text", chars=size(content.get("text")))
    if kind in _BLOBS:
        mime = word(content.get("mime_type"), 128)
        if "data" not in content:
            return Part(kind="file", mime=mime)
        return Part(kind="blob", mime=mime, chars=size(content["data"]) * 3 // 4)
    if isinstance(kind, str) and kind.endswith(("_call", "_result")):
        return Part(kind=_KINDS.get(kind, "tool"), id=word(content.get("id")) or word(content.get("call_id")))
    return Part(kind="other")
