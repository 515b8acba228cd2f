"""Scripts as the JSON documents of the API.

Owns: field names, their order and presence, and what the two families of endpoints add (wire.md 1.1, 1.8).
Not here: counts. Invariant: a field that would be zero is absent (law 8); serviceTier and trafficType never come
together (law 19).
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from gembill_simulator import search
from gembill_simulator.answer import Piece, PieceKind, Script
from gembill_simulator.models import SimulatedModel
from gembill_simulator.tokens import TokenTally
from gembill_simulator.usage import Counts, snapshots, whole

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer says of itself. `traffic` and `created` (RFC 3339) are set on Vertex and None elsewhere."""

    response_id: str
    tier: str = "standard"
    traffic: str | None = None
    created: str | None = None


def answer(script: Script, stamp: Stamp) -> Document:
    """The document of generateContent."""
    parts: list[Document] = []
    for piece in filter(script.shows, script.pieces):
        part = _part(piece, script.model)
        if "text" in part and parts and "text" in parts[-1] and part.get("thought") == parts[-1].get("thought"):
            parts[-1]["text"] += part["text"]
        else:
            parts.append(part)
    if script.model.resets:
        parts[-1]["thoughtSignature"] = signature(script.turns[-1].pieces[0].text)
    elif parts[-1].get("text") == "":
        parts.pop()  # thinking or code took the whole output limit
    content: Document = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    candidate = {"content": content, "finishReason": script.finish, "index": 0} | _ending(script)
    return _document([candidate, *_others(script)], usage(whole(script), stamp), script, stamp)


def chunks(script: Script, stamp: Stamp) -> list[Document]:
    """The documents of streamGenerateContent, in order."""
    counted = zip(script.pieces, snapshots(script), strict=True)
    shown = [(piece, counts) for piece, counts in counted if script.shows(piece)]
    early, last = _early_stop(script, [piece for piece, _ in shown]), len(shown) - 1
    documents: list[Document] = []
    for index, (piece, counts) in enumerate(shown):
        part = _part(piece, script.model)
        if script.model.resets and index == last:
            part["thoughtSignature"] = signature(shown[0][0].text)
        candidate: Document = {"content": {"parts": [part], "role": "model"}}
        if index in (early, last):
            candidate["finishReason"] = script.finish if index == last else "STOP"
        candidate["index"] = 0
        if index == last:
            candidate |= _ending(script)
        waits = stamp.traffic is not None and index < last  # law 18: Vertex counts in the last chunk only
        seen: Document = {"trafficType": stamp.traffic} if waits else usage(counts, stamp)
        others = _others(script) if index == last else []
        documents.append(_document([candidate, *others], seen, script, stamp))
    return documents


def usage(counts: Counts, stamp: Stamp) -> Document:
    """A `usageMetadata`."""
    fields: Document = {
        "promptTokenCount": counts.prompt.total,
        "candidatesTokenCount": counts.candidates,
        "totalTokenCount": counts.total,
        "cachedContentTokenCount": counts.cached,
        "promptTokensDetails": counts.prompt.details(),
        "cacheTokensDetails": TokenTally(text=counts.cached).details(),
        "toolUsePromptTokenCount": counts.tool.total,
        "toolUsePromptTokensDetails": counts.tool.details(),
        "thoughtsTokenCount": counts.thoughts,
    }
    if stamp.traffic is None:
        fields["serviceTier"] = stamp.tier
    else:
        fields["candidatesTokensDetails"] = TokenTally(text=counts.candidates).details()
        fields["trafficType"] = stamp.traffic
    return {name: value for name, value in fields.items() if value}


def count_tokens(prompt: TokenTally) -> Document:
    """The document of countTokens."""
    return {"totalTokens": prompt.total, "promptTokensDetails": prompt.details()}


def model(known: SimulatedModel) -> Document:
    """One entry of the Developer API's list of models."""
    return {
        "name": f"models/{known.name}",
        "version": known.served,
        "displayName": known.name.replace("-", " ").title(),
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent", "createCachedContent"],
        "thinking": known.thinks,
    }


def publisher_model(known: SimulatedModel) -> Document:
    """One entry of Vertex's list of models."""
    return {"name": f"publishers/google/models/{known.name}", "versionId": "default", "launchStage": "GA"}


def error(status: int, name: str, message: str, details: list[Document] | None = None) -> Document:
    """An error in Google's shape (wire.md 5.4)."""
    fields: Document = {"code": status, "message": message, "status": name}
    return {"error": fields | {"details": details} if details else fields}


def interactions_error(document: Document) -> Document:
    """The same error in the shape of the Interactions API: the code is a word."""
    inner = document["error"]
    word = {"INVALID_ARGUMENT": "invalid_request"}.get(inner["status"], inner["status"].lower())
    return {"error": {"code": word, "message": inner["message"]}}


def _document(candidates: list[Document], seen: Document, script: Script, stamp: Stamp) -> Document:
    document: Document = {"candidates": candidates, "usageMetadata": seen, "modelVersion": script.model.served}
    if stamp.created is not None:
        document["createTime"] = stamp.created
    return document | {"responseId": stamp.response_id}


def _others(script: Script) -> list[Document]:
    """Further candidates, each whole."""
    return [
        {"content": {"parts": [{"text": piece.text}], "role": "model"}, "finishReason": "STOP", "index": index}
        for index, piece in enumerate(script.others, 1)
    ]


def _ending(script: Script) -> Document:
    """What the end of an answer adds to its candidate."""
    fields: Document = {}
    if script.findings is not None:
        said = "".join(piece.text for piece in script.turns[-1].pieces if piece.kind is PieceKind.TEXT)
        fields["groundingMetadata"] = search.grounding(script.findings, said)
    if script.continues is not None:
        fields["continuationToken"] = script.continues.token()
    return fields


def _part(piece: Piece, known: SimulatedModel) -> Document:
    named: Document = {"id": piece.id} if piece.id else {}
    if piece.kind is PieceKind.CALL:
        called = {"name": piece.name, "args": msgspec.json.decode(piece.text)}
        return {"functionCall": called | named if known.resets else called}
    if piece.kind in (PieceKind.CODE, PieceKind.SEARCH):
        part: Document = {"executableCode": {"language": "PYTHON", "code": piece.text} | named}
        return part | {"thoughtSignature": signature(piece.text)} if known.resets else part
    if piece.kind in (PieceKind.RESULT, PieceKind.SEARCH_RESULT):
        printed = {"output": piece.text} if piece.text else {}
        return {"codeExecutionResult": {"outcome": piece.outcome} | printed | named}
    if piece.kind is PieceKind.IMAGE:
        return {"inlineData": {"mimeType": "image/png", "data": piece.text}}
    return {"text": piece.text, "thought": True} if piece.kind is PieceKind.THOUGHT else {"text": piece.text}


def _early_stop(script: Script, pieces: list[Piece]) -> int | None:
    """Law 17: on 2.5 a stream of several rounds says STOP on its last code already."""
    codes = [index for index, piece in enumerate(pieces) if piece.kind is PieceKind.CODE]
    return codes[-1] if len(codes) > 1 and not script.model.resets else None


def signature(text: str) -> str:
    """The base64 signature of a thought or a part."""
    return b64encode(blake2b(text.encode(), digest_size=48).digest()).decode()
