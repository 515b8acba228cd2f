"""A page without anything, served as the dashboard is: what a server, a browser and a change of address cost alone.

Owns: one ASGI application that answers whatever is asked with the same few lines. Not here: what is measured with it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

_BODY = (
    b"<!doctype html><title>x</title><link rel=icon href=data:,><main id=page>"
    b'<figure><p class=sketch><i class=col>x</i></p></figure><a href="?next">next</a></main>'
)


async def app(scope: dict[str, Any], _: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """The page, whatever the address."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": _BODY})
