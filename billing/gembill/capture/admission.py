"""What may enter: the shape of a request and the paths that are forwarded.

Owns: every refusal that can be made from a request's head alone, and the headers that are not forwarded. Not here:
attribution, and forwarding. Invariant: a caller never chooses the upstream host, and what does not match the
allow-list is never sent (reliability.md 3).
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gembill.capture.attribution import LABEL_PREFIX, Caller, Header, about_caller, caller_of, may_name_caller
from gembill.capture.caller_token import TOKEN_HEADER
from gembill.capture.doors import Doors
from gembill.errors import Refusal
from gembill.model import Api
from gembill.upstream import HeadFields
from gembill.wire.routes import Route, decoded, family, is_live, route

MAX_HEAD = 64 * 1024
OWN_PAGES = (b"/_gembill/health", b"/_gembill/ready", b"/_gembill/metrics")
OPEN = Doors()
_KEPT = 256  # targets and heads that are not looked at again
_LONGEST_KEPT, _LARGEST_KEPT = 512, 8 * 1024  # bytes: what is larger is looked at each time, so that memory is bounded

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
    (r"/.+//.*", "it has two slashes in a row, as where a client adds a path to a base URL that ends with one"),
    (rf"(?:{_PATH.pattern})/", "it ends with a slash, which no path of the API does"),
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
_LIVE_INTERACTIONS = re.compile(rb".*/interactions/live(?:\?.*)?", re.DOTALL)
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_DROPPED = _HOP_BY_HOP | {b"host", b"expect"}
_OF_THE_WAY_HERE = frozenset((b"cookie", b"proxy-authorization", b"forwarded", TOKEN_HEADER))  # meant for proxies
_X_FORWARDED = b"x-forwarded-"
_LENGTH = b"content-length"
_LENGTH_SIZE = len(_LENGTH)
_AMBIGUOUS = frozenset((b"content_length", b"transfer_encoding", b"host_", b"content-length ", b"transfer-encoding "))


@dataclass(frozen=True, slots=True)
class Head:
    """What the fields of a request's head say, whatever its length: names are lower case, `sized` has a length."""

    fields: tuple[Header, ...]  # of Content-Length only leading zeros: it is not the same in every request of a caller
    onward: HeadFields  # those that go on
    about_caller: tuple[Header, ...]  # those that say who calls
    caller: Caller  # who that is, unless a query names another
    coding: tuple[Header, ...]  # those that say how the body is packed
    host: bytes
    sized: bool
    chunked: bool
    expects: bool  # it waits for a 100 before it sends its body
    websocket: bool = False  # it offers to go on as a WebSocket
    tokens: tuple[bytes, ...] = ()  # of ours that it shows

    def caller_with(self, query: bytes) -> Caller:
        """Who calls with this query."""
        return caller_of(self.about_caller, query) if query and may_name_caller(query) else self.caller


@dataclass(frozen=True, slots=True)
class Admitted:
    """Where a request goes. `target` is path and query as received, `route` is None for what is not recorded."""

    path: str
    query: bytes
    target: bytes
    api: Api
    route: Route | None


def admit(method: str, path: bytes, query: bytes = b"") -> Admitted:
    """Where a request may go, or Refusal. The shape of its target was checked before (`check_target`)."""
    small = len(path) + len(query) <= _LONGEST_KEPT
    return _admit_again(method, path, query) if small else _admit(method, path, query)


def _admit(method: str, raw: bytes, query: bytes) -> Admitted:
    path = raw.decode("latin-1")
    if not is_live(path) and not _PATH.fullmatch(decoded(path)):
        raise Refusal(404, "GEMBILL_PATH_NOT_FORWARDED", f"gembill does not forward this path; {_cure(decoded(path))}")
    return Admitted(path, query, raw + (b"?" + query if query else b""), family(path), route(method, path))


_admit_again = lru_cache(maxsize=_KEPT)(_admit)  # refusals are not kept


def _cure(path: str) -> str:
    """What is wrong with the base URL of a client that sent this path, as far as the path shows it."""
    return next((cure for pattern, cure in _CURES if re.fullmatch(pattern, path, re.DOTALL)), _ANY_CURE)


def forwarded(headers: Iterable[Header]) -> list[Header]:
    """The headers that go on, in their order and lower case: all but hop-by-hop ones, `Host`, `Expect`, our labels."""
    kept, named = [], b""
    for name, value in headers:
        lower = name.lower()
        if lower == b"connection":
            named += b"," + value
        elif lower not in _DROPPED and not lower.startswith(LABEL_PREFIX):
            kept.append((lower, value))
    if not named:
        return kept
    dropped = {token.strip().lower() for token in named.split(b",")} - {b"content-length"}
    return [field for field in kept if field[0] not in dropped]


def onward(headers: Iterable[Header]) -> list[Header]:
    """The headers of a request that go to the API: those `forwarded`, but none that says how the request came here."""
    return [
        field
        for field in forwarded(headers)
        if field[0] not in _OF_THE_WAY_HERE and not field[0].startswith(_X_FORWARDED)
    ]


def check_head(
    version: str, target: bytes, headers: list[Header], size: int = MAX_HEAD, doors: Doors = OPEN
) -> tuple[Head, int | None]:
    """What a head says, and the length of its body: 0 without one, None where it is chunked.

    Refuses a head that two servers could read differently, that names a host, or that the `doors` do not let in.
    `size` is a bound of the bytes it took, where the caller knows one.
    """
    live = _check_target_again(target) if len(target) <= _LONGEST_KEPT else check_target(target)
    alike: Sequence[Header] = headers
    length = b"0"
    for at, (name, value) in enumerate(headers):
        if len(name) == _LENGTH_SIZE and name.lower() == _LENGTH:
            zeros = value[: -len(value.lstrip(b"0") or b"0")] if value[:1] == b"0" else b""
            length, alike = value, (*headers[:at], (_LENGTH, zeros), *headers[at + 1 :])
            break
    if size <= _LARGEST_KEPT:
        head = _head_again(version, tuple(alike), doors)
    elif sum(len(name) + len(value) + 4 for name, value in headers) + len(target) > MAX_HEAD:
        raise Refusal(431, "GEMBILL_HEAD_TOO_LARGE", f"the request head is larger than {MAX_HEAD} bytes")
    else:
        head = _head(version, tuple(alike), doors)
    if head.websocket != live:
        raise _live() if head.websocket else _malformed("a session of the Live API begins as a WebSocket")
    if live and (head.sized or head.chunked):
        raise _malformed("a WebSocket begins with a request that has no body")
    if not length.isdigit() or len(length) >= 16:
        raise _malformed("Content-Length must be given once, as a number")
    return head, None if head.chunked else int(length)


def check_target(target: bytes) -> bool:
    """Whether a target is a session of the Live API. Refuses one that is not the path of this server."""
    if target.startswith((b"/ws/", b"//ws/")):
        if is_live(target.partition(b"?")[0].decode("latin-1")):
            return True
        raise _live()
    if _LIVE_INTERACTIONS.fullmatch(target):
        raise _live()
    if not target.startswith(b"/") or target.startswith(b"//"):
        raise _malformed(
            "the request target must be a path that starts with a single slash; a base URL ends without one"
        )
    return False


_check_target_again = lru_cache(maxsize=_KEPT)(check_target)  # refusals are not kept


def _head(version: str, received: tuple[Header, ...], doors: Doors) -> Head:
    fields = tuple([(name.lower(), value) for name, value in received])
    if version not in ("1.0", "1.1"):
        raise _malformed("gembill speaks HTTP/1.0 and HTTP/1.1")
    websocket = any(name == b"upgrade" and b"websocket" in value.lower() for name, value in fields)
    hosts = [value for name, value in fields if name == b"host"]
    _check_host(version, hosts)
    doors.check(fields)
    sized, chunked = _framing(version, fields)
    if any(name in _AMBIGUOUS for name, _ in fields):
        raise _malformed("a header name is spelled so that servers may take it for another one")
    expects = version == "1.1" and (b"expect", b"100-continue") in ((name, value.lower()) for name, value in fields)
    host = hosts[0] if hosts else b""
    tokens = tuple([value.strip(b" \t") for name, value in fields if name == TOKEN_HEADER])
    coding = tuple([field for field in fields if field[0] == b"content-encoding"])
    own, onto = about_caller(fields), HeadFields(onward(fields))
    return Head(fields, onto, own, caller_of(own, b""), coding, host, sized, chunked, expects, websocket, tokens)


_head_again = lru_cache(maxsize=_KEPT)(_head)  # the same caller sends the same fields again and again


def _check_host(version: str, hosts: list[bytes]) -> None:
    if len(hosts) != 1 and not (version == "1.0" and not hosts):
        raise _malformed(f"a request needs one Host header, this one has {len(hosts)}")
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise _malformed("the Host header is not a host name")


def _framing(version: str, fields: tuple[Header, ...]) -> tuple[bool, bool]:
    """Whether a body is sized and whether it is chunked. Refuses fields that say both, or either twice."""
    lengths = [value for name, value in fields if name == _LENGTH]
    codings = [value.strip(b" \t").lower() for name, value in fields if name == b"transfer-encoding"]
    if lengths and codings:
        raise _malformed("a request cannot have both Content-Length and Transfer-Encoding")
    if len(lengths) > 1:
        raise _malformed("Content-Length must be given once, as a number")
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise _malformed("Transfer-Encoding can only be chunked, and only in HTTP/1.1")
    return bool(lengths), bool(codings)


def _live() -> Refusal:
    return Refusal(
        501,
        "GEMBILL_LIVE_NOT_RECORDED",
        "of WebSockets gembill records those of the Live API (BidiGenerateContent) alone; connect to the API directly "
        "for interactions/live, whose usage messages were never seen recorded",
    )


def _malformed(message: str) -> Refusal:
    return Refusal(400, "GEMBILL_MALFORMED_REQUEST", message)


_STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
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
