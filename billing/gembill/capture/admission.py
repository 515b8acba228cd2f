"""What may enter: the shape of a request and the paths that are forwarded.

Owns: every refusal that can be made from a request's head alone, and the headers that are not forwarded. Not here:
attribution, and forwarding. Invariant: a caller never chooses the upstream host, and what does not match the
allow-list is never sent (reliability.md 3).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gembill.capture.attribution import LABEL_PREFIX, Header
from gembill.errors import Refusal
from gembill.wire.routes import decoded

MAX_HEAD = 64 * 1024
HEALTH = b"/_gembill/health"

_HOST = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_SEGMENT = r"[A-Za-z0-9_~@-](?:[A-Za-z0-9._~@-]{0,254}[A-Za-z0-9_~@-])?"
_PATH = re.compile(
    r"(?:/(?:upload|download|resumable))*"
    r"/v[0-9]{1,2}(?:(?:alpha|beta)[0-9]{0,2})?"
    r"/(?:models|tunedModels|cachedContents|files|batches|operations|fileSearchStores|corpora|generatedFiles|interactions"
    r"|agents|environments|triggers|voices|webhooks|credentials|decisions|auth_tokens|dynamic|projects|publishers|endpoints|openai)"
    rf"(?:/{_SEGMENT})*(?::[A-Za-z]{{1,64}})?"
)
_VERSION = r"/v[0-9]{1,2}(?:(?:alpha|beta)[0-9]{0,2})?"
_CURES = (
    (rf"{_VERSION}{_VERSION}/.*", "its version is there twice: the base URL must end before /v1"),
    (
        rf"(?:{_VERSION})?(?:/openai)?/(?:chat/completions|completions|embeddings|images/[a-z]+|responses|audio/[a-z]+)",
        "it is OpenAI's: the base URL must end with /v1beta/openai",
    ),
    (
        r"/(?:projects|publishers|endpoints)/.+",
        "it lacks the version: the base URL must end with /v1 or /v1beta1, as Vertex's does",
    ),
    (
        r"/(?:models|tunedModels|interactions|cachedContents|files|batches|operations|openai|upload)(?:/.*|:.*)?",
        "it lacks the version: the base URL must end with /v1beta, or with /v1beta/openai for OpenAI's clients",
    ),
)
_ANY_CURE = (
    "check the base URL: it ends with the port for Google's SDKs, with /v1beta for LiteLLM and the Vercel AI SDK, "
    "with /v1beta/openai for OpenAI's clients"
)
_LIVE = re.compile(rb"//?ws/.*|.*/interactions/live(?:\?.*)?", re.DOTALL)
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_OURS = frozenset((b"host", b"expect"))
_AMBIGUOUS = frozenset((b"content_length", b"transfer_encoding", b"host_", b"content-length ", b"transfer-encoding "))


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be forwarded. `target` is path and query as received, `length` the body's, None if chunked."""

    method: str
    path: str
    query: bytes
    target: bytes
    headers: list[Header]
    length: int | None


def admit(scope: dict[str, Any]) -> Admitted:
    """The request of an ASGI scope, or Refusal. The shape of the head was checked before (`check_head`)."""
    path = scope["raw_path"].decode("latin-1")
    if not _PATH.fullmatch(decoded(path)):
        raise Refusal(404, "GEMBILL_PATH_NOT_FORWARDED", f"gembill does not forward this path; {_cure(decoded(path))}")
    query, headers = scope["query_string"], scope["headers"]
    length = next((int(value) for name, value in headers if name == b"content-length"), None)
    if length is None and not any(name == b"transfer-encoding" for name, _ in headers):
        length = 0
    target = scope["raw_path"] + (b"?" + query if query else b"")
    return Admitted(scope["method"], path, query, target, forwarded(headers), length)


def _cure(path: str) -> str:
    """What is wrong with the base URL of a client that sent this path, as far as the path shows it."""
    return next((cure for pattern, cure in _CURES if re.fullmatch(pattern, path, re.DOTALL)), _ANY_CURE)


def forwarded(headers: Iterable[Header]) -> list[Header]:
    """The headers that go on, in their order: all but hop-by-hop ones, `Host`, `Expect` and our labels."""
    headers = list(headers)
    named = {
        token.strip().lower() for name, value in headers if name.lower() == b"connection" for token in value.split(b",")
    }
    dropped = (_HOP_BY_HOP | _OURS | named) - {b"content-length"}
    return [(n, v) for n, v in headers if n.lower() not in dropped and not n.lower().startswith(LABEL_PREFIX)]


def check_head(version: str, target: bytes, headers: list[Header]) -> None:
    """Refuse a head that two servers could read differently, or that names a host; names are lower case."""
    if version not in ("1.0", "1.1"):
        raise _malformed("gembill speaks HTTP/1.0 and HTTP/1.1")
    if _LIVE.fullmatch(target) or any(n == b"upgrade" and b"websocket" in v.lower() for n, v in headers):
        raise Refusal(
            501,
            "GEMBILL_LIVE_NOT_RECORDED",
            "gembill does not record the Live API (WebSocket) yet; connect to the API directly for it",
        )
    if not target.startswith(b"/") or target.startswith(b"//"):
        raise _malformed("the request target must be a path that starts with a single slash")
    if sum(len(name) + len(value) + 4 for name, value in headers) + len(target) > MAX_HEAD:
        raise Refusal(431, "GEMBILL_HEAD_TOO_LARGE", f"the request head is larger than {MAX_HEAD} bytes")
    _check_host(version, [value for name, value in headers if name == b"host"])
    _check_length(version, headers)
    if any(name in _AMBIGUOUS for name, _ in headers):
        raise _malformed("a header name is spelled so that servers may take it for another one")


def _check_host(version: str, hosts: list[bytes]) -> None:
    if len(hosts) != 1 and not (version == "1.0" and not hosts):
        raise _malformed(f"a request needs one Host header, this one has {len(hosts)}")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise _malformed("the Host header is not a host name")


def _check_length(version: str, headers: list[Header]) -> None:
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value.strip(b" \t").lower() for name, value in headers if name == b"transfer-encoding"]
    if lengths and codings:
        raise _malformed("a request cannot have both Content-Length and Transfer-Encoding")
    if len(lengths) > 1 or not all(value.isdigit() and len(value) < 16 for value in lengths):
        raise _malformed("Content-Length must be given once, as a number")
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise _malformed("Transfer-Encoding can only be chunked, and only in HTTP/1.1")


def _malformed(message: str) -> Refusal:
    return Refusal(400, "GEMBILL_MALFORMED_REQUEST", message)


_STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    431: "INVALID_ARGUMENT",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def error_body(refusal: Refusal) -> bytes:
    """The refusal in the shape of Google's errors (contract.md, The proxy and the bytes)."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.reason, "domain": "gembill"}]
    status = _STATUS_WORDS.get(refusal.status, "UNKNOWN")
    error = {"code": refusal.status, "message": f"gembill: {refusal}", "status": status, "details": details}
    return json.dumps({"error": error}).encode()
