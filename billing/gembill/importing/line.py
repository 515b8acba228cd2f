"""An exchange as one JSON object: a line of our own format, or a case of a corpus of recorded answers.

Owns: the keys of both (contract.md, Import; a case has `surface` and `source` besides). Owns no file and no metering.
Invariant: bodies are passed on as the text that stands in the object, so that counts look as they did on the wire.
"""

import re
from collections.abc import Iterator

import msgspec

from gembill.capture.attribution import Header
from gembill.importing.member import Members, RefusedLine, entries, inner, members, status, text
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
from gembill.model import Api, Operation
from gembill.wire.json_text import fields, value
from gembill.wire.routes import Route, route

_LINE_END = re.compile(rb"\r\n|\r|\n")
_READ = re.compile(r"/(?:interactions|batches)/[^/:]+")  # a case does not tell its method; these two are only read
_STAND_INS = {  # the call a case makes whose path was not recorded
    "generateContent": Route(Api.GEMINI, Operation.GENERATE_CONTENT, None, streamed=False),
    "streamGenerateContent": Route(Api.GEMINI, Operation.GENERATE_CONTENT, None, streamed=True),
}
_NO_CALLS = ("countTokens", "cachedContents", "live", "models", "files")


def read(line: bytes, assumed: ImportDefaults) -> ImportedExchange | None:
    """The exchange of a JSON text; None where it is no call. Refused where it cannot be used."""
    found = members(line)
    method, path, query = _asked(found)
    way = _way(found, method, path)
    if way is None:
        return None
    headers = decoded(_headers(found))
    recorded_at = value(inner(found, "source").get("recorded_at"))
    return ImportedExchange(
        route=checked(way),
        method=method,
        path=path or "",
        query=query,
        occurred_us=occurred_us(
            text(found, "occurred_at"),
            recorded_at if isinstance(recorded_at, str) else None,
            headers,
            assumed.occurred_us,
        ),
        request_headers=labelled({name: value(raw) for name, raw in inner(found, "labels").items()}),
        request=_body(found.get("request")),
        status=status(found),
        response_headers=headers,
        answer=_answer(found),
    )


def _asked(found: Members) -> tuple[str, str | None, bytes]:
    """Method, path and query; the path is None where none was recorded."""
    url, method = text(found, "path"), text(found, "method")
    path, query = (None, b"") if url is None else target(url)
    if method is None:
        method = "GET" if "surface" in found and path and _READ.search(path + "\n") else "POST"
    return method.upper(), path, query


def _way(found: Members, method: str, path: str | None) -> Route | None:
    if path is not None:
        return route(method, path)
    surface = text(found, "surface")
    if surface in _NO_CALLS:
        return None
    way = _STAND_INS.get(surface or "")
    way = way or (route("POST", "/v1beta/interactions") if (surface or "").startswith("interactions") else None)
    if way is None:
        raise RefusedLine("it has no path, so nothing says which call it is")
    return way


def _headers(found: Members) -> Iterator[Header]:
    for name, raw in inner(found, "response_headers").items():
        values = value(raw)
        for each in values if isinstance(values, list) else [values]:
            yield header(name, each)


def _answer(found: Members) -> bytes:
    chunks = entries(found, "chunks")
    if "chunks" not in found and "response" not in found:
        raise RefusedLine("it has neither response nor chunks")
    body = _body(found.get("response"))
    if chunks is None:
        return body
    if body:
        raise RefusedLine("it has both response and chunks; which one was the answer is not clear")
    return b"".join(_event(number, chunk) for number, chunk in enumerate(chunks, 1))


def _event(number: int, chunk: msgspec.Raw) -> bytes:
    """A chunk as the server-sent event it was."""
    found = fields(bytes(chunk))
    if found is None or "data" not in found:
        raise RefusedLine(f"chunk {number} has no data")
    lines = (b"data: " + line for line in _LINE_END.split(_body(found["data"])))
    return b"\n".join(lines) + b"\n\n"


def _body(raw: msgspec.Raw | None) -> bytes:
    """A body: the text of a JSON string, else the JSON text itself; empty where it is absent or null."""
    here = b"" if raw is None else bytes(raw).strip()
    if here == b"null":
        return b""
    if not here.startswith(b'"'):
        return here
    found = value(here)
    return found.encode("utf-8", "replace") if isinstance(found, str) else here
