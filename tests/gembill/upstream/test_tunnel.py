"""Calls through a forward proxy: what it sees, what it refuses, and that a refused call was never sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gembill.errors import UpstreamTimeout, UpstreamUnreachable
from gembill.upstream import NeverSent, Upstream
from gembill.upstream import connection as connections
from gembill.upstream.connection import Limits
from gembill.upstream.egress import ForwardProxy
from tests.forward_proxy import ForwardProxyServer, forward_proxy
from tests.gembill.upstream.scripted import OK, Run, Script, read_request, replies, served, whole
from tests.gembill.upstream.test_client import ONE, certificate, post, server_tls

__all__ = ["certificate"]  # a fixture

PASSWORD = "p@ss:wört"


def parsed(
    server: ForwardProxyServer, credentials: str = "user:p%40ss%3Aw%C3%B6rt@", scheme: str = "http"
) -> ForwardProxy:
    return ForwardProxy.parse(f"{scheme}://{credentials}{server.place}", called="HTTPS_PROXY")


@asynccontextmanager
async def through(proxy: ForwardProxy, script: Script, **more: Any) -> AsyncIterator[Upstream]:
    async with served(script, proxy=proxy, **more) as upstream:
        yield upstream


def refused(run: Run, proxy: ForwardProxy, words: str, **more: Any) -> str:
    """The sentence of a call that the proxy did not let through, checked to be one never sent."""
    begun = []

    async def scenario() -> str:
        async with through(proxy, replies(), **more) as upstream:
            with pytest.raises(UpstreamUnreachable, match=words) as caught:
                await upstream.request(b"POST", b"/v1", [], None, length=0, begun=lambda: begun.append(True))
            assert isinstance(caught.value, NeverSent)
            assert not begun
            return str(caught.value)

    sentence: str = run(scenario())
    assert "ss:w" not in sentence
    return sentence


@pytest.mark.parametrize("outer", [False, True], ids=["plain proxy", "proxy with TLS"])
@pytest.mark.parametrize("inner", [False, True], ids=["http origin", "https origin"])
def test_a_call_goes_through_the_tunnel_and_the_connection_is_used_again(
    run: Run, certificate: Path, outer: bool, inner: bool
) -> None:
    body = bytes(range(256)) * 4096

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            wire = await read_request(reader)
            writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(wire) + wire)

    async def scenario() -> None:
        tls = server_tls(certificate) if inner else None
        proxy = parsed(server, scheme="https" if outer else "http")
        async with through(proxy, script, tls=tls, ca_file=certificate) as upstream:
            for _ in range(3):
                assert await whole(await post(upstream, body, len(body))) == body
            assert upstream.connections_opened == 1
            assert server.seen == [f"CONNECT 127.0.0.1:{upstream.origin.port}"]

    with forward_proxy("user", PASSWORD, tls=certificate if outer else None) as server:
        run(scenario())
    assert (b"x-goog-api-key: SECRET" in server.relayed) is not inner
    assert (body in server.relayed) is not inner


def test_the_origin_s_certificate_is_checked_for_the_origin(run: Run, certificate: Path) -> None:
    run(_quiet())
    with forward_proxy() as server:
        refused(run, parsed(server, ""), "certificate verify failed", tls=server_tls(certificate))


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ("", r"the proxy http://127.0.0.1:\d+ wants credentials \(HTTP 407\); write them into its address"),
        ("user:ss:wrong@", r"the proxy http://user:\*\*\*@127.0.0.1:\d+ does not accept the user and password"),
    ],
)
def test_missing_and_wrong_credentials_are_told_apart(run: Run, credentials: str, words: str) -> None:
    with forward_proxy("user", PASSWORD) as server:
        refused(run, parsed(server, credentials), words)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (b"HTTP/1.1 403 ss:w\r\n\r\nss:w", r"cannot be reached: the proxy .* refused the tunnel with HTTP 403\."),
        (b"HTTP/1.0 502 Bad Gateway\n\n", r"refused the tunnel with HTTP 502\."),
        (b"HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\n\r\n", "wants a way to log in other than Basic"),
        (b"", "hung up when it was asked for a tunnel"),
        (b"HTTP/1.1 200 OK\r\nVia: x", "did not answer in HTTP"),
        (b"SSH-2.0-ss:w\r\n\r\n", "did not answer in HTTP"),
        (b"x" * 20_000, "did not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n", "sent bytes of its own into the tunnel"),
    ],
)
def test_a_refused_tunnel_is_one_sentence_and_a_call_never_sent(run: Run, refusal: bytes, words: str) -> None:
    with forward_proxy(refusal=refusal) as server:
        refused(run, parsed(server), words)


@pytest.mark.parametrize("tls", [False, True])
def test_a_tunnel_that_ends_as_soon_as_it_is_made_is_a_call_never_sent(run: Run, certificate: Path, tls: bool) -> None:
    run(_quiet())
    with forward_proxy(refusal=b"HTTP/1.1 200 OK\r\n\r\n") as server:
        if tls:
            refused(run, parsed(server), "cannot be reached", tls=server_tls(certificate), ca_file=certificate)
        else:
            with pytest.raises(UpstreamUnreachable):
                run(_call(parsed(server)))


def test_a_proxy_that_is_away_is_named(run: Run) -> None:
    with forward_proxy() as server:
        proxy = parsed(server)
    refused(run, proxy, r"the proxy http://user:\*\*\*@127.0.0.1:\d+ cannot be reached: ")


def test_a_proxy_that_does_not_answer_is_a_timeout_never_sent(run: Run) -> None:
    async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        async with served(mute) as silent:
            proxy = ForwardProxy.parse(f"127.0.0.1:{silent.origin.port}", called="x")
            async with through(proxy, replies(), limits=Limits(connect_s=0.1)) as upstream:
                with pytest.raises(
                    UpstreamTimeout, match=r"no connection through the proxy http://.* within 0\.1 s"
                ) as late:
                    await post(upstream)
                assert isinstance(late.value, NeverSent)

    run(scenario())


def test_a_tunnel_that_the_server_had_closed_is_made_again_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "acknowledged", lambda _: 100)  # none of the request arrived

    async def scenario() -> None:
        async with through(parsed(server, ""), replies([ONE], [ONE])) as upstream:
            assert await whole(await post(upstream)) == b"one"
            answer = await post(upstream)
            assert (await whole(answer), upstream.connections_opened, len(server.seen)) == (b"one", 2, 2)

    with forward_proxy() as server:
        run(scenario())


async def _call(proxy: ForwardProxy) -> None:
    async with through(proxy, replies()) as upstream:
        await post(upstream)


async def _quiet() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's side complains of handshakes too


def test_the_certificate_of_a_proxy_is_checked(run: Run, certificate: Path) -> None:
    run(_quiet())
    with forward_proxy(tls=certificate) as server:
        refused(run, parsed(server, "", "https"), "the proxy https://127.0.0.1.* cannot be reached: .*verify failed")
