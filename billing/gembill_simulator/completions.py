"""The OpenAI-compatible endpoint: chat completions, unary and streamed.

Owns: reading its requests and writing its answers (wire.md 5.1). Not here: the answer. Invariant: total_tokens =
prompt_tokens + completion_tokens; thoughts are completion tokens, named apart; a stream counts in its last chunk.
"""

from collections.abc import Sequence

import msgspec

from gembill_simulator import answer, frames, routes, wire
from gembill_simulator.answer import PieceKind, Script
from gembill_simulator.calls import Function
from gembill_simulator.context import RequestContext
from gembill_simulator.fields import Object, bad, decode, entries, entry, integer, text, value
from gembill_simulator.frames import Reply
from gembill_simulator.names import id_text
from gembill_simulator.request import ParsedRequest, tier
from gembill_simulator.tokens import TokenTally, count
from gembill_simulator.usage import whole
from gembill_simulator.wire import Document

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}


def reply(context: RequestContext) -> Reply:
    """Answer a request for a completion; raises `Refusal` (400, 404) for one that cannot be answered."""
    body = decode(context.body)
    model = routes.model_named(text(body, "model"))
    script = answer.compose(_parsed(body), model, seed=context.origin, overrides=context.control.overrides)
    about: Document = {
        "id": id_text(context.draw),
        "created": int(context.now.timestamp()),
        "model": text(body, "model"),
    }
    streams = value(body, "stream") is True
    documents = _chunks(script, about) if streams else [_whole(script, about)]
    packed = (*map(_event, documents), b"data: [DONE]\n\n") if streams else frames.sliced(documents[0])
    made = Reply(200, packed, documents[-1]["usage"], events=streams, streams=streams, name=about["id"])
    return frames.spoilt(made, context.fault, _trouble())


def _parsed(body: Object) -> ParsedRequest:
    messages = entries(body, "messages")
    if not messages:
        raise bad("The request has no messages.")
    declared = [entry(tool, "function") for tool in entries(body, "tools")]
    questions = [_said(message) for message in messages if text(message, "role") == "user"]
    return ParsedRequest(
        prompt=sum((_count(message) for message in messages), TokenTally()),
        question=questions[-1] if questions else "",
        code_allowed=False,
        functions=tuple(Function(text(one, "name"), entry(one, "parameters")) for one in declared),
        answered=text(messages[-1], "role") == "tool",
        forced=value(body, "toolChoice") == "required",
        most_tokens=integer(body, "max_tokens") or integer(body, "max_completion_tokens"),
        tier=tier(body),
    )


def _said(message: Object) -> str:
    content = value(message, "content")
    if isinstance(content, str):
        return content
    return " ".join(text(part, "text") for part in entries(message, "content"))


def _count(message: Object) -> TokenTally:
    images = 0
    if not isinstance(value(message, "content"), str):
        images = sum(text(part, "type") == "image_url" for part in entries(message, "content"))
    called = value(message, "toolCalls")
    extra = count(msgspec.json.encode(called).decode()) if called else 0
    return TokenTally(text=count(_said(message)) + extra, image=258 * images)


def _whole(script: Script, about: Document) -> Document:
    said = "".join(piece.text for piece in script.pieces if piece.kind is PieceKind.TEXT)
    message: Document = {"role": "assistant"} | _called(script)
    if said or "tool_calls" not in message:
        message["content"] = said
    choice = {"index": 0, "message": message, "finish_reason": _finish(script)}
    return about | {"object": "chat.completion", "choices": [choice], "usage": _usage(script)}


def _chunks(script: Script, about: Document) -> list[Document]:
    deltas: list[Document] = [
        {"role": "assistant", "content": piece.text}
        for piece in script.pieces
        if piece.kind is PieceKind.TEXT and piece.text
    ]
    deltas.append({"role": "assistant"} | _called(script))
    last = len(deltas) - 1
    return [
        about
        | {"object": "chat.completion.chunk"}
        | {"choices": [_choice(delta, _finish(script) if index == last else None)]}
        | ({"usage": _usage(script)} if index == last else {})
        for index, delta in enumerate(deltas)
    ]


def _choice(delta: Document, finish: str | None) -> Document:
    choice: Document = {"index": 0, "delta": delta}
    return choice if finish is None else choice | {"finish_reason": finish}


def _called(script: Script) -> Document:
    called: Sequence[Document] = [
        {"index": 0, "id": piece.id, "type": "function", "function": {"name": piece.name, "arguments": piece.text}}
        for piece in script.pieces
        if piece.kind is PieceKind.CALL
    ]
    return {"tool_calls": called} if called else {}


def _finish(script: Script) -> str:
    return "tool_calls" if _called(script) else _FINISH.get(script.finish, "stop")


def _usage(script: Script) -> Document:
    counts = whole(script)
    usage: Document = {
        "prompt_tokens": counts.prompt.total + counts.tool.total,
        "completion_tokens": counts.candidates + counts.thoughts,
        "total_tokens": counts.total,
    }
    if counts.cached:
        usage["prompt_tokens_details"] = {"cached_tokens": counts.cached}
    if counts.thoughts:
        usage["completion_tokens_details"] = {"reasoning_tokens": counts.thoughts}
    return usage


def _event(document: Document) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


def _trouble() -> bytes:
    return _event(wire.error(503, "UNAVAILABLE", "The model broke off in the middle of its answer."))
