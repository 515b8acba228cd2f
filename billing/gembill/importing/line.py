"""An exchange as one JSON object: a line of our own format, or a case of a corpus of recorded answers.

Owns: the keys of both (contract.md, Import; a case has `surface` and `source` besides). Not here: files and metering.
Invariant: bodies are passed on as the text that is in the object, so that counts look as they did on the wire; an
answer or a request that an SDK wrote has the wire's form again.
"""

import re
from collections.abc import Iterator

import msgspec

from gembill.capture.attribution import Header
from gembill.importing import exported
from gembill.importing.exported import ExportedCall
from gembill.importing.member import Members, RefusedLine, entries, inner, members_of, status, text
from gembill.importing.recorded import (
    ImportDefaults,
    ImportedExchange,
    checked,
    decoded,
    header,
    labelled,
    occurred_us,
    target,
)
from gembill.importing.sdk_spelling import as_asked, as_sent, headers_in
from gembill.model import Api, Operation
from gembill.wire.json_text import fields, value
from gembill.wire.routes import Route, route

_LINE_END = re.compile(rb"\r\n|\r|\n")
_READ = re.compile(r"/(?:interactions|batches)/[^/:]+")  # a case does not name its method; these two are only read
_STAND_INS = {  # the call a case makes whose path was not recorded
    "generateContent": Route(Api.GEMINI, Operation.GENERATE_CONTENT, None, streamed=False),
    "streamGenerateContent": Route(Api.GEMINI, Operation.GENERATE_CONTENT, None, streamed=True),
}
_NO_CALLS = ("countTokens", "cachedContents", "live", "models", "files")


def read(line: bytes, assumed: ImportDefaults) -> ImportedExchange | ExportedCall | None:
    """The exchange of a JSON text, or the call of an export; None where it is not a call. Refused where it cannot be
    used."""
    members = members_of(line)
    if exported.is_exported(members):
        return exported.read(members)
    method, path, query = _request_line(members)
    exchange_route = _route(members, method, path)
    if exchange_route is None:
        return None
    headers = decoded(_headers(members))
    recorded_at = value(inner(members, "source").get("recorded_at"))
    return ImportedExchange(
        route=checked(exchange_route),
        method=method,
        path=path or "",
        query=query,
        occurred_us=occurred_us(
            text(members, "occurred_at"),
            recorded_at if isinstance(recorded_at, str) else None,
            headers,
            assumed.occurred_us,
        ),
        request_headers=labelled({name: value(raw) for name, raw in inner(members, "labels").items()}),
        request=as_asked(_body(members.get("request"))),
        status=status(members),
        response_headers=headers,
        answer=_answer(members),
    )


def _request_line(members: Members) -> tuple[str, str | None, bytes]:
    """Method, path and query; the path is None where none was recorded."""
    url, method = text(members, "path"), text(members, "method")
    path, query = (None, b"") if url is None else target(url)
    if method is None:
        method = "GET" if "surface" in members and path and _READ.search(path + "\n") else "POST"
    return method.upper(), path, query


def _route(members: Members, method: str, path: str | None) -> Route | None:
    if path is not None:
        return route(method, path)
    surface = text(members, "surface")
    if surface in _NO_CALLS:
        return None
    stand_in = _STAND_INS.get(surface or "")
    if stand_in is None and (surface or "").startswith("interactions"):
        stand_in = route("POST", "/v1beta/interactions")
    if stand_in is None:
        raise RefusedLine("it has no path, so nothing says which call it is")
    return stand_in


def _headers(members: Members) -> Iterator[Header]:
    """The headers of the answer; where the line has none, those that an SDK kept in the answer."""
    given = {name: value(raw) for name, raw in inner(members, "response_headers").items()}
    for name, values in (given or headers_in(_first_document(members))).items():
        for each in values if isinstance(values, list) else [values]:
            yield header(name, each)


def _first_document(members: Members) -> bytes:
    chunks = entries(members, "chunks")
    first = (fields(bytes(chunks[0])) or {}).get("data") if chunks else members.get("response")
    return _body(first)


def _answer(members: Members) -> bytes:
    chunks = entries(members, "chunks")
    if "chunks" not in members and "response" not in members:
        raise RefusedLine("it has neither response nor chunks")
    body = as_sent(_body(members.get("response")))
    if chunks is None:
        return body
    if body:
        raise RefusedLine("it has both response and chunks; which one was the answer is not clear")
    return b"".join(_event(number, chunk) for number, chunk in enumerate(chunks, 1))


def _event(number: int, chunk: msgspec.Raw) -> bytes:
    """A chunk as the server-sent event it was."""
    members = fields(bytes(chunk))
    if members is None or "data" not in members:
        raise RefusedLine(f"chunk {number} has no data")
    lines = (b"data: " + line for line in _LINE_END.split(as_sent(_body(members["data"]))))
    return b"\n".join(lines) + b"\n\n"


def _body(raw: msgspec.Raw | None) -> bytes:
    """A body: the text of a JSON string, else the JSON text itself; empty where it is absent or null."""
    body = b"" if raw is None else bytes(raw).strip()
    if body == b"null":
        return b""
    if not body.startswith(b'"'):
        return body
    text = value(body)
    return text.encode("utf-8", "replace") if isinstance(text, str) else body
