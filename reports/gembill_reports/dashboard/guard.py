"""The door of the dashboard: who is let in, and the headers that browsers get.

Owns: methods, Host names, the token and its cookie, and the security headers. Not here: pages, and how often a token
may be guessed. Invariant: it is before every route, so that no page can be reached around it; whatever is answered
carries the headers.

Rules: reliability.md 3 and the issue. GET and HEAD only. The Host must be a name we know (against DNS rebinding), once.
With a token, a request needs its cookie; the token itself is taken once from the address and leads to the same address
without it. The cookie holds a proof under a key of this process: it cannot be guessed from a guess of the token, so
that guesses at the token alone are limited, and whoever is in stays in while others guess.
"""

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from hashlib import sha256
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gembill.guesses import Guesses, network

COOKIE = "gembill"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SHOWN = b"no-store"
_KEY = secrets.token_bytes(32)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Lets requests through to `app`. `hosts` are names without a port; without a token everyone there is let in.

    `clock` is in seconds.
    """

    def __init__(
        self,
        app: App,
        hosts: Iterable[str] = LOOPBACK,
        token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._guesses = Guesses(clock)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _with_headers(send)
        if scope["method"] not in ("GET", "HEAD"):
            await _refuse(guarded, 405, "only GET is answered here", (b"allow", b"GET, HEAD"))
        elif not self._known_host(scope):
            await _refuse(guarded, 421, "this name is not served here; add it with --allow-host")
        elif self._token is None or self._holds_cookie(scope):
            await self._app(scope, receive, guarded)
        else:
            await self._enter(scope, guarded)

    def _known_host(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        return len(named) == 1 and host_of(named[0].decode("latin-1")) in self._hosts

    def _holds_cookie(self, scope: Scope) -> bool:
        session = self._session()
        raw = b";".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
        return any(_same(value, session) for value in _cookies(raw))

    def _session(self) -> str:
        """What the cookie holds: it proves that the token was known, and does not tell it."""
        return hmac.new(_KEY, b"gembill dashboard " + (self._token or "").encode(), sha256).hexdigest()

    async def _enter(self, scope: Scope, send: Send) -> None:
        """Let in whoever brings the token, and take it out of the address."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        brought = [value for key, value in pairs if key == "token"]
        address = network(str((scope.get("client") or ("",))[0]))
        if brought and (wait := self._guesses.wait(address)) > 0:
            after = (b"retry-after", str(ceil(wait)).encode())
            await _refuse(send, 429, "too many wrong tokens came from this address; try again later", after)
            return
        if len(brought) != 1 or not _same(brought[0], self._token or ""):
            if brought:
                self._guesses.count(address)
            await _refuse(send, 401, "this dashboard asks for its token: open it as /?token=...")
            return
        rest = urlencode([(key, value) for key, value in pairs if key != "token"])
        path = "/" + scope["path"].lstrip("/\\")  # `//host` would lead to another host
        cookie = f"{COOKIE}={self._session()}; Path=/; HttpOnly; SameSite=Strict"
        target = urlencode({"": path}, safe="/")[1:] + (f"?{rest}" if rest else "")
        await _refuse(send, 303, "welcome", (b"location", target.encode()), (b"set-cookie", cookie.encode()))


def _cookies(raw: str) -> Iterator[str]:
    """The values of our cookie, in whatever company: other programs on this machine have cookies of any form."""
    for pair in raw.split(";"):
        name, _, value = pair.partition("=")
        if name.strip(" \t") == COOKIE:
            yield value.strip(" \t")


def host_of(header: str) -> str:
    """The name in a Host header, without its port; empty where there is none."""
    name, colon, port = header.rpartition(":")
    if not colon or not port.isdecimal() or (name.count(":") and not name.endswith("]")):
        name = header
    return name.lower()


def _same(one: str, other: str) -> bool:
    """Whether texts are equal, in a time that says nothing about the second one, its length included."""
    return hmac.compare_digest(_proof(one), _proof(other))


def _proof(text: str) -> bytes:
    return hmac.digest(_KEY, text.encode(), "sha256")


def _with_headers(send: Send) -> Send:
    """`send` that adds our headers to every answer. Pages are not kept by anyone unless the answer says otherwise."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", _SHOWN))
            message = {**message, "headers": [*headers, *HEADERS]}
        await send(message)

    return sent


async def _refuse(send: Send, status: int, said: str, *headers: tuple[bytes, bytes]) -> None:
    body = f"gembill: {said}\n".encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    size = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [kind, size, *headers]})
    await send({"type": "http.response.body", "body": body})
