"""Scripts as the steps and the `usage` of an interaction.

Owns: the JSON of steps, how a step is sent piece by piece in a stream (wire.md 2.4 and 2.6), and the names of the
counts (wire.md 2.5). Not here: the laws of usage (`gembill_simulator.usage`). Invariant: the deltas of a step make up
the step; calls and results are paired by id on every model; zeros are sent; total = input + tool use + output +
thoughts (law 2 of the corpus).

Agents differ: what a coding agent's loop reads again is input and mostly cached, its tool use is 0; deep research
counts tool use and names no modalities of it (corpus cases 159 and 153).
"""

from dataclasses import dataclass, replace
from hashlib import blake2b

import msgspec

from gembill_simulator import search
from gembill_simulator.answer import Piece, PieceKind, Script
from gembill_simulator.programs import DEADLINE, OK
from gembill_simulator.tokens import TokenTally
from gembill_simulator.usage import whole
from gembill_simulator.wire import Document, signature

_CACHED_SHARE = (2, 3)  # of what an agent's loop reads again
_STOPPED = "The execution was stopped after 30 seconds.\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A step: as it starts in a stream, the deltas that follow, and as it is in the end."""

    start: Document
    deltas: tuple[Document, ...]
    whole: Document


def output(script: Script) -> tuple[Step, ...]:
    """The steps of an answer, in order."""
    made: list[Step] = []
    for turn in script.turns:
        if any(piece.thoughts for piece in turn.pieces):
            made.append(_thought(turn.pieces[0]))
        call = ""
        for piece in turn.pieces:
            if piece.kind in (PieceKind.CODE, PieceKind.SEARCH, PieceKind.CALL):
                call = piece.id or _id(f"{len(made)}{piece.text}")
            _add(made, piece, call, script)
    return tuple(made)


def usage(script: Script, *, agent: bool = False, researches: bool = False) -> Document:
    """The usage of a whole answer."""
    counts = whole(script)
    prompt, tool, cached = counts.prompt, counts.tool, counts.cached
    if agent and not researches:
        cached = max(cached, tool.text * _CACHED_SHARE[0] // _CACHED_SHARE[1])
        prompt, tool = prompt + tool, TokenTally()
    document: Document = {"total_tokens": counts.total, "total_input_tokens": prompt.total}
    document["input_tokens_by_modality"] = _by_modality(prompt)
    document["total_cached_tokens"] = cached
    if cached:
        document["cached_tokens_by_modality"] = _by_modality(TokenTally(text=cached))
    document["total_output_tokens"] = counts.candidates
    if agent:
        document["output_tokens_by_modality"] = _by_modality(TokenTally(text=counts.candidates))
    document["total_tool_use_tokens"] = tool.total
    if researches:
        document["tool_use_tokens_by_modality"] = None
    elif tool.total:
        document["tool_use_tokens_by_modality"] = _by_modality(tool)
    document["total_thought_tokens"] = counts.thoughts
    if script.findings is not None:
        document["grounding_tool_count"] = [{"type": "google_search", "count": len(script.findings.queries)}]
    if script.model.generation >= 3 and not agent:  # in no public schema, and seen on the wire (2.5)
        document["raw_prompt_token"] = prompt.total + tool.total
    return document


def _add(made: list[Step], piece: Piece, call: str, script: Script) -> None:
    if piece.kind in (PieceKind.TEXT, PieceKind.IMAGE):
        content, delta = _content(piece, script)
        if piece.text:
            _say(made, content, delta)
    elif piece.kind is PieceKind.CODE:
        made.append(_code(piece, call))
    elif piece.kind is PieceKind.RESULT:
        made.append(_result(piece, call))
    elif piece.kind is PieceKind.CALL:
        made.append(_function(piece, call))
    elif piece.kind is PieceKind.SEARCH:
        made.append(_search(script, call))
    elif piece.kind is PieceKind.SEARCH_RESULT:
        made.append(_search_result(call))


def _content(piece: Piece, script: Script) -> tuple[Document, Document]:
    if piece.kind is PieceKind.IMAGE:
        image = {"type": "image", "mime_type": "image/png", "data": piece.text}
        return image, image
    cited = script.findings is not None and piece in script.turns[-1].pieces
    notes = {"annotations": search.citations(script.findings, piece.text)} if cited and script.findings else {}
    return {"type": "text", "text": piece.text} | notes, {"type": "text", "text": piece.text}


def _say(made: list[Step], content: Document, delta: Document) -> None:
    """Go on with the model's output, or begin it."""
    if not made or made[-1].whole["type"] != "model_output":
        made.append(Step({"type": "model_output"}, (), {"type": "model_output", "content": []}))
    step = made[-1]
    contents = list(step.whole["content"])
    if contents and contents[-1]["type"] == content["type"] == "text":
        contents[-1] = contents[-1] | {"text": contents[-1]["text"] + content["text"]}
    else:
        contents.append(content)
    made[-1] = replace(step, deltas=(*step.deltas, delta), whole=step.whole | {"content": contents})


def _thought(first: Piece) -> Step:
    signed = signature(first.text)
    whole: Document = {"type": "thought", "signature": signed}
    deltas: list[Document] = []
    if first.kind is PieceKind.THOUGHT:
        summary = {"type": "text", "text": first.text}
        whole["summary"] = [summary]
        deltas.append({"type": "thought_summary", "content": summary})
    deltas.append({"type": "thought_signature", "signature": signed})
    return Step({"type": "thought"}, tuple(deltas), whole)


def _code(piece: Piece, call: str) -> Step:
    start: Document = {"type": "code_execution_call", "id": call, "arguments": {}}
    rest: Document = {"arguments": {"language": "python", "code": piece.text}}
    return Step(start, ({"type": "code_execution_call"} | rest,), start | rest)


def _result(piece: Piece, call: str) -> Step:
    start: Document = {"type": "code_execution_result", "call_id": call, "result": ""}
    printed = _STOPPED if piece.outcome == DEADLINE else piece.text
    rest: Document = {"result": printed, "is_error": piece.outcome != OK}
    return Step(start, ({"type": "code_execution_result"} | rest,), start | rest)


def _function(piece: Piece, call: str) -> Step:
    start: Document = {"type": "function_call", "id": call, "name": piece.name, "arguments": {}}
    delta = {"type": "arguments_delta", "arguments": piece.text}
    return Step(start, (delta,), start | {"arguments": msgspec.json.decode(piece.text)})


def _search(script: Script, call: str) -> Step:
    queries = list(script.findings.queries) if script.findings else []
    start: Document = {"type": "google_search_call", "id": call, "search_type": "web_search", "arguments": {}}
    rest: Document = {"arguments": {"queries": queries}}
    return Step(start, ({"type": "google_search_call"} | rest,), start | rest)


def _search_result(call: str) -> Step:
    start: Document = {"type": "google_search_result", "call_id": call, "result": []}
    rest: Document = {"result": [{"search_suggestions": search.SUGGESTIONS}], "is_error": False}
    return Step(start, ({"type": "google_search_result"} | rest,), start | rest)


def _id(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()


def _by_modality(tally: TokenTally) -> list[Document]:
    return [{"modality": str(one["modality"]).lower(), "tokens": one["tokenCount"]} for one in tally.details()]
