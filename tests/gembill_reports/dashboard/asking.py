"""Requests to an ASGI application without a server between."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


def ask(
    app: Any,
    target: str = "/",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    client: str = "127.0.0.1",
    body: bytes = b"",
) -> Answer:
    """The answer to one request; a Host of loopback unless `headers` has others."""
    return asyncio.run(_ask(app, scope(target, method, headers, client), body))


def post(app: Any, target: str, form: dict[str, str], headers: dict[str, str] | None = None, **more: Any) -> Answer:
    """The answer to a form on one of our own pages, unless `headers` say otherwise."""
    sent = {"origin": "http://127.0.0.1:8789", "content-type": "application/x-www-form-urlencoded"} | (headers or {})
    return ask(app, target, "POST", sent, body=urlencode(form).encode(), **more)


def scope(
    target: str = "/", method: str = "GET", headers: dict[str, str] | None = None, client: str = "127.0.0.1"
) -> dict[str, Any]:
    """What a server tells an application about a request."""
    path, _, query = target.partition("?")
    sent = {"host": "127.0.0.1:8789"} | (headers or {})
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [(key.lower().encode(), value.encode()) for key, value in sent.items()],
        "server": ("127.0.0.1", 8789),
        "client": (client, 1),
    }


async def _ask(app: Any, scope: dict[str, Any], body: bytes = b"") -> Answer:
    said: list[Any] = []
    asked = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        """The request once; then the client stays and says no more, as one that reads a long answer."""
        message = next(asked, None)
        if message is None:
            await asyncio.Event().wait()
        return message or {}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    answered = b"".join(one.get("body", b"") for one in said[1:])
    headers = [(key.decode(), value.decode()) for key, value in said[0]["headers"]]
    return Answer(said[0]["status"], headers, answered)
