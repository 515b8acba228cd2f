"""An entry of a HAR file, as browsers and proxies save their traffic (HAR 1.2: `log.entries`).

Owns: the members of an entry. Not here: files and metering. Invariant: a credential in headers or address goes to the
capture, which hashes it and strikes it out, and nowhere else.
"""

import binascii
from base64 import b64decode

from gembill.capture.attribution import Header
from gembill.importing.member import Members, RefusedLine, entries, inner, members_of, status, text
from gembill.importing.recorded import ImportDefaults, ImportedExchange, checked, decoded, header, occurred_us, target
from gembill.wire.json_text import mapping, value
from gembill.wire.routes import route


def read(entry: bytes, assumed: ImportDefaults) -> ImportedExchange | None:
    """The exchange of an entry; None where it is not a call. Refused where it cannot be used."""
    members = members_of(entry)
    request, response = inner(members, "request"), inner(members, "response")
    url, method = text(request, "url"), text(request, "method")
    if url is None or method is None:
        raise RefusedLine("its request has no url or no method")
    if not url.startswith(("http://", "https://")):
        return None  # wss, data, blob, extensions of the browser
    path, query = target(url)
    exchange_route = route(method.upper(), path)
    if exchange_route is None:
        return None
    headers = decoded(_headers(response))
    began = occurred_us(text(members, "startedDateTime"), None, headers, assumed.occurred_us)
    return ImportedExchange(
        route=checked(exchange_route),
        method=method.upper(),
        path=path,
        query=query,
        occurred_us=began,
        ended_us=_ended(began, members),
        request_headers=_headers(request),
        request=(text(inner(request, "postData"), "text") or "").encode("utf-8", "replace"),
        status=status(response, least=0) or None,  # 0 where no answer came
        response_headers=headers,
        answer=_content(inner(response, "content")),
        cut=bool(value(response.get("_error"))),
    )


def _headers(members: Members) -> list[Header]:
    pairs = [mapping(value(raw)) for raw in entries(members, "headers") or ()]
    return [header(name, pair.get("value")) for pair in pairs if isinstance(name := pair.get("name"), str)]


def _content(content: Members) -> bytes:
    """The body of an answer, which may be kept as base64."""
    body = text(content, "text") or ""
    if text(content, "encoding") != "base64":
        return body.encode("utf-8", "replace")
    try:
        return b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedLine("the content of its response is said to be base64 and is not") from None


def _ended(began_us: int, members: Members) -> int | None:
    """When it ended: `time` is how long it took, in milliseconds, -1 where that is not known."""
    took = value(members.get("time"))
    if type(took) not in (int, float) or not 0 <= took < 86_400_000:
        return None
    return began_us + int(took * 1000)
