"""A connection to the origin through a forward proxy: CONNECT, and TLS inside.

Owns: the request for a tunnel, the judgement of its answer, and both layers of TLS. Not here: which proxy (`egress`),
and what goes through the tunnel (`connection`). Invariant: no byte of a call is sent before the proxy has agreed, so
that a failure here is a call never sent; of a call to an https origin the proxy sees host and port alone; no error text
holds credentials or words of the proxy's own.
"""

import asyncio
import re
import ssl

from gembill.address import bracketed
from gembill.upstream.egress import ForwardProxy

HEAD_BYTES = 16 * 1024  # largest answer to CONNECT
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: |\r?\n)")
_END = re.compile(rb"\r?\n\r?\n")
_BASIC = re.compile(rb"(?im)^proxy-authenticate:[^\r\n]*\bbasic\b")


async def open_tunnel(
    proxy: ForwardProxy,
    inner: asyncio.Protocol,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None,
    outer: ssl.SSLContext | None,
) -> None:
    """Connect `inner` to `host:port` through the proxy, with `tls` inside, if any; `outer` is for a proxy with TLS.

    Raises OSError with a sentence where the proxy cannot be reached or does not agree, or as `create_connection` does
    where the origin's TLS fails.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, asking = await loop.create_connection(
            lambda: _Asking(loop), proxy.host, proxy.port, ssl=outer if proxy.tls else None
        )
    except TimeoutError:
        raise
    except OSError as error:
        raise OSError(f"the proxy {proxy.shown} cannot be reached: {error.strerror or error}") from error
    try:
        transport.write(_question(proxy, host, port))
        _judge(proxy, await asking.answer)
        await _go_inside(proxy, transport, inner, tls, host)
    except BaseException:
        transport.abort()
        raise


async def _go_inside(
    proxy: ForwardProxy, transport: asyncio.Transport, inner: asyncio.Protocol, tls: ssl.SSLContext | None, host: str
) -> None:
    """Give the tunnel, with TLS in it or without, to `inner`, which has had no connection yet."""
    inside: asyncio.BaseTransport | None = transport
    if tls is not None:
        inside = await asyncio.get_running_loop().start_tls(transport, inner, tls, server_hostname=host)
    else:
        transport.set_protocol(inner)
    if inside is None or transport.is_closing():
        raise OSError(f"the proxy {proxy.shown} closed the tunnel as soon as it was made")
    inner.connection_made(inside)


class _Asking(asyncio.Protocol):
    """The connection to the proxy until it has answered: `answer` gets the head of that, or what came of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: asyncio.Future[bytes] = loop.create_future()
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Collect the head."""
        self._head += data
        if _END.search(self._head) or len(self._head) > HEAD_BYTES:
            self._end()

    def eof_received(self) -> None:
        """The proxy says no more."""
        self._end()

    def connection_lost(self, _: Exception | None) -> None:
        """The proxy is gone."""
        self._end()

    def _end(self) -> None:
        if not self.answer.done():
            self.answer.set_result(self._head)


def _question(proxy: ForwardProxy, host: str, port: int) -> bytes:
    target = f"{bracketed(host)}:{port}"
    credentials = b"" if proxy.authorization is None else b"Proxy-Authorization: %b\r\n" % proxy.authorization
    return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target.encode(), target.encode(), credentials)


def _judge(proxy: ForwardProxy, head: bytes) -> None:
    """OSError unless the answer is a 2xx with nothing behind it."""
    status, end = _STATUS.match(head), _END.search(head)
    if not head:
        raise OSError(f"the proxy {proxy.shown} hung up when it was asked for a tunnel")
    if status is None or end is None:
        raise OSError(f"the proxy {proxy.shown} did not answer in HTTP when it was asked for a tunnel")
    code = int(status[1])
    if code == 407:
        raise OSError(f"the proxy {proxy.shown} {_about_credentials(proxy, head)}")
    if not 200 <= code < 300:
        raise OSError(f"the proxy {proxy.shown} refused the tunnel with HTTP {code}")
    if end.end() != len(head):
        raise OSError(f"the proxy {proxy.shown} sent bytes of its own into the tunnel")


def _about_credentials(proxy: ForwardProxy, head: bytes) -> str:
    if not _BASIC.search(head):
        return "wants a way to log in other than Basic (HTTP 407), and gembill knows no other"
    if proxy.authorization is None:
        return "wants credentials (HTTP 407); write them into its address, as http://user:password@host:port"
    return "does not accept the user and password of its address (HTTP 407)"
