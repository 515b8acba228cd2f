"""The door of the dashboard: who is let in, and the headers that browsers get.

Owns: methods, Host names, origins, the cookie, signing in and out, and the security headers. Not here: pages, which
tokens there are (`tokens`), and how often one may be guessed. Invariant: it is before every route, so that no page can
be reached around it; whatever is answered carries the headers.

Rules: reliability.md 3 and the issue. GET and HEAD, and POST to a closed list of addresses, from our own pages alone.
The Host must be a name we know (against DNS rebinding), once. With a token, a request needs its cookie, or the token as
Bearer; the token is taken once from a form, or from the address and leads to the same address without it. The cookie
holds a proof under a key of this process: it cannot be guessed from a guess of the token, so that guesses at the token
alone are limited, and whoever is in stays in while others guess.
"""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, MutableMapping, Sequence
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from gembill.guesses import Guesses, network
from gembill_reports.dashboard.tokens import Holder, TokenFile, Tokens

COOKIE = "gembill"
HOLDER = "gembill.holder"  # who asks, in the scope of a request that was let in; absent where nobody needs a token
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
_FORM_BYTES = 8192
_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]")
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
    """Lets requests through to `app`. `hosts` are names without a port; without any token everyone there is let in.

    `token` is the owner's, `named` are those that read. `writes` are the addresses to which `app` takes a POST. `clock`
    is in seconds.
    """

    def __init__(
        self,
        app: App,
        hosts: Iterable[str] = LOOPBACK,
        token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        named: TokenFile | None = None,
        writes: Collection[str] = (),
    ) -> None:
        self._app = app
        self._guesses = Guesses(clock)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._tokens = Tokens(token, named)
        self._posts = frozenset((*writes, SIGN_IN, SIGN_OUT))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded, posted = _with_headers(send), scope["method"] == "POST"
        if scope["method"] not in ("GET", "HEAD") and not (posted and scope["path"] in self._posts):
            await _refuse(guarded, 405, "only GET is answered here", (b"allow", b"GET, HEAD"))
        elif not self._known_host(scope):
            await _refuse(guarded, 421, _unknown_name(_headers(scope, b"host")))
        elif posted and not _from_our_page(scope):
            await _refuse(guarded, 403, "a form is taken from a page of this dashboard only")
        elif posted and scope["path"] == SIGN_IN:
            await self._sign_in(scope, receive, guarded)
        elif posted and scope["path"] == SIGN_OUT:
            await _lead(guarded, "/", f"{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
        else:
            await self._hand_on(scope, receive, guarded)

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """To the pages, if whoever asks may see them, and may write if that is what is asked."""
        if not self._tokens.asked:
            await self._app(scope, receive, send)
            return
        holder = self._tokens.holder_of_session(_cookies(scope), _KEY)
        if holder is None:
            await self._enter(scope, receive, send)
        elif scope["method"] == "POST" and not holder.writes:
            await _refuse(send, 403, f"the token {holder.name} only reads")
        elif scope["path"] == SIGN_IN:
            await _lead(send, "/")
        else:
            await self._app({**scope, HOLDER: holder}, receive, send)

    def _known_host(self, scope: Scope) -> bool:
        named = _headers(scope, b"host")
        return len(named) == 1 and host_of(named[0]) in self._hosts

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in whoever brings the token: as Bearer for this request, or in the address, out of which it is taken."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        path = "/" + scope["path"].lstrip("/\\")  # `//host` would lead to another host
        target = urlencode({"": path}, safe="/")[1:]
        bearer = [value[7:].strip() for value in _headers(scope, b"authorization") if value[:7].lower() == "bearer "]
        brought = [value for key, value in pairs if key == "token"] or bearer
        rest = urlencode([(key, value) for key, value in pairs if key != "token"])
        target += f"?{rest}" if rest else ""
        if not brought or scope["method"] == "POST":
            await _ask(scope, send, 401, target)
            return
        holder, wait = self._try(brought[0] if len(brought) == 1 else "", scope)
        if holder is None:
            await _ask(scope, send, 429 if wait else 401, target, wait)
        elif bearer and brought == bearer:
            await self._app({**scope, HOLDER: holder}, receive, send)
        else:
            await _lead(send, target, self._cookie(holder))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the token of the form, and lead to the page that was asked for."""
        form = await read_form(receive)
        target = form.get("next", "/")
        target = (
            target if target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable() else "/"
        )
        if not self._tokens.asked:
            await _lead(send, target)
            return
        holder, wait = self._try(form.get("token", "").strip(), scope)
        if holder is None:
            await _ask(scope, send, 429 if wait else 401, target, wait, wrong=True)
        else:
            await _lead(send, target, self._cookie(holder))

    def _try(self, token: str, scope: Scope) -> tuple[Holder | None, float]:
        """Whose token it is, and how many seconds to wait if none is looked at now; a wrong one is counted."""
        address = network(str((scope.get("client") or ("",))[0]))
        if (wait := self._guesses.wait(address)) > 0:
            return None, wait
        holder = self._tokens.holder(token)
        if holder is None:
            self._guesses.count(address)
        return holder, 0.0

    def _cookie(self, holder: Holder) -> str:
        return f"{COOKIE}={self._tokens.session(holder, _KEY)}; Path=/; HttpOnly; SameSite=Strict"


def _headers(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _from_our_page(scope: Scope) -> bool:
    """Whether a browser says that the form was on a page of the name that is asked; who says nothing is refused."""
    origins, (host, *_) = _headers(scope, b"origin"), _headers(scope, b"host")
    if not origins:
        return _headers(scope, b"sec-fetch-site") == ["same-origin"]
    parts = urlsplit(origins[0])
    return len(origins) == 1 and parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


async def read_form(receive: Receive) -> dict[str, str]:
    """The fields of a form, none of one that is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or len(body) > _FORM_BYTES:
            return {}
        if not message.get("more_body"):
            return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def _ask(scope: Scope, send: Send, status: int, target: str, wait: float = 0, *, wrong: bool = False) -> None:
    """Ask for a token: a page with a form for who reads pages, a sentence for anyone else."""
    after = [(b"retry-after", str(ceil(wait)).encode())] if wait else [(b"www-authenticate", b"Bearer")]
    said = "this dashboard asks for its token: sign in, open it as /?token=..., or send it as Authorization: Bearer"
    if wait:
        said = "too many wrong tokens came from this address; try again later"
    page = any("text/html" in one for one in _headers(scope, b"accept"))
    if not page or scope["path"].endswith((".json", ".csv")):
        await _refuse(send, status, said, *after)
        return
    from gembill_reports.dashboard.sign_in import sign_in_page

    problem = f"Too many wrong tokens came from this address. Try again in {ceil(wait)} s." if wait else ""
    problem = problem or ("That is not a token of this dashboard." if wrong else "")
    await _say(send, status, sign_in_page(target, problem).encode(), b"text/html; charset=utf-8", *after)


async def _lead(send: Send, target: str, cookie: str = "") -> None:
    headers = [(b"location", target.encode("latin-1", "replace"))]
    await _refuse(send, 303, "welcome", *headers, *([(b"set-cookie", cookie.encode())] if cookie else []))


def _cookies(scope: Scope) -> list[str]:
    """The values of our cookie, in whatever company: other programs on this machine have cookies of any form."""
    return [value for raw in _headers(scope, b"cookie") for value in _values(raw)]


def _values(raw: str) -> Iterator[str]:
    for pair in raw.split(";"):
        name, _, value = pair.partition("=")
        if name.strip(" \t") == COOKIE:
            yield value.strip(" \t")


def _unknown_name(named: Sequence[str]) -> str:
    """Why a name is not answered to, and what whoever runs the dashboard does about it."""
    host = host_of(named[0]) if len(named) == 1 else ""
    if not _HOST.fullmatch(host):
        return "the dashboard does not answer to this name"
    return (
        f"the dashboard does not answer to the name {host}; if it is this machine's, start it with --allow-host {host}"
    )


def host_of(header: str) -> str:
    """The name in a Host header, without its port; empty where there is none."""
    name, colon, port = header.rpartition(":")
    if not colon or not port.isdecimal() or (name.count(":") and not name.endswith("]")):
        name = header
    return name.lower()


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
    await _say(send, status, f"gembill: {said}\n".encode(), b"text/plain; charset=utf-8", *headers)


async def _say(send: Send, status: int, body: bytes, kind: bytes, *headers: tuple[bytes, bytes]) -> None:
    own = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})
