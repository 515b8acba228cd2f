"""The pool, the retry on a connection that the server had closed, and TLS."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gembill.errors import ConfigurationError, UpstreamCut, UpstreamTimeout, UpstreamUnreachable
from gembill.upstream import NeverSent, Origin, Upstream
from gembill.upstream import connection as connections
from gembill.upstream.connection import Limits
from gembill.upstream.response import Response
from tests.gembill.upstream.scripted import OK, Run, read_request, replies, served, whole


async def post(upstream: Upstream, body: Any = b"hello", length: int | None = 5) -> Response:
    fields = [(b"x-goog-api-key", b"SECRET"), *([(b"content-length", b"%d" % length)] if length is not None else [])]
    return await upstream.request(b"POST", b"/v1/x?key=SECRET", fields, body, length=length)


async def until_closed(upstream: Upstream) -> None:
    """Wait until no connection is open: sooner than an idle one is closed for its age (30 s), on a slow machine too."""
    async with asyncio.timeout(20):
        while upstream.connections_open:
            await asyncio.sleep(0.01)


async def source(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0.01)
        yield piece


ONE = OK + b"Content-Length: 3\r\n\r\none"
TWO = OK + b"Content-Length: 3\r\n\r\ntwo"


def test_the_connection_used_last_is_taken_first(run: Run) -> None:
    async def numbered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = upstreams[0].connections_open
        while True:
            await read_request(reader)
            await asyncio.sleep(0.01)
            writer.write(OK + b"Content-Length: 1\r\n\r\n%d" % number)

    upstreams: list[Upstream] = []

    async def scenario() -> None:
        async with served(numbered) as upstream:
            upstreams.append(upstream)
            first, second = await asyncio.gather(post(upstream), post(upstream))
            await whole(first)
            last = await whole(second)
            assert upstream.connections_idle == 2
            for _ in range(3):
                assert await whole(await post(upstream)) == last
            assert upstream.connections_opened == 2

    run(scenario())


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("length", [5, None])
def test_a_post_that_cannot_have_been_read_is_retried_once_with_the_whole_body(
    run: Run, streamed: bool, length: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "acknowledged", lambda _: 100)  # nothing more than before it was sent

    async def scenario() -> None:
        async with served(replies([ONE], [TWO])) as upstream:
            assert await whole(await post(upstream)) == b"one"
            answer = await post(upstream, source(b"he", b"l", b"lo") if streamed else b"hello", length)
            assert (await whole(answer), answer.retried, upstream.connections_opened) == (b"two", 1, 2)

    run(scenario())


@pytest.mark.parametrize("known", [True, False])
def test_a_post_that_may_have_been_read_is_never_sent_again(
    run: Run, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setattr(connections, "acknowledged", lambda _: None)

    async def scenario() -> None:
        async with served(replies([ONE], [TWO])) as upstream:
            assert await whole(await post(upstream)) == b"one"
            with pytest.raises(UpstreamUnreachable, match="before it began to answer") as caught:
                await post(upstream)
            assert not isinstance(caught.value, NeverSent)
            assert upstream.connections_opened == 1

    run(scenario())


@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
def test_what_does_no_harm_twice_is_sent_again_and_counts_as_once(run: Run, method: bytes) -> None:
    async def scenario() -> None:
        async with served(replies([ONE], [TWO])) as upstream:
            assert await whole(await upstream.request(method, b"/v1/x", [], None, length=0)) == b"one"
            answer = await upstream.request(method, b"/v1/x", [], None, length=0)
            assert (await whole(answer), answer.retried, upstream.connections_opened) == (b"two", 0, 2)

    run(scenario())


def test_a_connection_that_closed_unnoticed_is_not_used(run: Run) -> None:
    closed = threading.Event()

    def serve(listener: socket.socket) -> None:
        for answer in (ONE, TWO):
            connection, _ = listener.accept()
            while not connection.recv(65536).endswith(b"hello"):
                pass
            connection.sendall(answer)
            connection.close()
            closed.set()

    async def scenario(port: int) -> None:
        upstream = Upstream(Origin("http", "127.0.0.1", port))
        assert await whole(await post(upstream)) == b"one"
        closed.wait(30)  # and the loop is not given a chance to hear of it
        answer = await post(upstream)
        assert (await whole(answer), answer.retried, upstream.connections_opened) == (b"two", 0, 2)
        await upstream.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        run(scenario(listener.getsockname()[1]))
        server.join(30)


def test_a_connection_that_is_lost_while_the_body_is_pulled_is_retried_without_losing_a_piece(run: Run) -> None:
    bodies = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await read_request(reader))
        writer.write(ONE)
        if len(bodies) == 1:
            await reader.readuntil(b"first")

    async def scenario() -> None:
        async with served(script) as upstream:
            await whole(await post(upstream))
            answer = await post(upstream, source(b"first", b"second", b"third"), None)
            assert (await whole(answer), answer.retried) == (b"one", 1)
            assert bodies[1] == b"5\r\nfirst\r\n6\r\nsecond\r\n5\r\nthird\r\n0\r\n\r\n"

    run(scenario())


@pytest.mark.parametrize(
    ("scripts", "limits", "fault"),
    [
        ([[ONE], []], Limits(), UpstreamUnreachable),
        ([[ONE, b"H", None], [TWO]], Limits(), UpstreamCut),
        ([[ONE, b"HTTP/1.1 100 Continue\r\n\r\n", None], [TWO]], Limits(), UpstreamCut),
        ([[ONE], [TWO]], Limits(stale_s=0), UpstreamUnreachable),
        ([[ONE], [TWO]], Limits(replay_bytes=4), UpstreamUnreachable),
    ],
    ids=["the fresh one fails too", "a byte came", "an interim answer came", "too late", "too much was sent"],
)
def test_nothing_else_is_retried(
    run: Run,
    scripts: list[Sequence[bytes | None]],
    limits: Limits,
    fault: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "acknowledged", lambda _: 100)

    async def scenario() -> None:
        async with served(replies(*scripts), limits) as upstream:
            assert await whole(await post(upstream)) == b"one"
            with pytest.raises(fault) as caught:
                await post(upstream, source(b"he", b"llo"))
            assert not isinstance(caught.value, NeverSent)
            assert upstream.connections_opened == (2 if scripts[1] == [] else 1)

    run(scenario())


def test_a_failed_retry_is_not_marked_as_never_sent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "acknowledged", lambda _: 100)

    async def scenario() -> None:
        async with served(replies([ONE])) as upstream:
            await whole(await post(upstream))
            upstream.origin = Origin("http", "127.0.0.1", 1)
            with pytest.raises(UpstreamUnreachable, match="cannot be reached") as caught:
                await post(upstream)
            assert not isinstance(caught.value, NeverSent)

    run(scenario())


@pytest.mark.parametrize("parting", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_an_idle_connection_that_hears_anything_is_dropped_at_once(run: Run, parting: bytes) -> None:
    idle = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ONE)
        await idle.wait()
        writer.write(parting)

    async def scenario() -> None:
        async with served(script) as upstream:
            answer = await post(upstream)
            assert (await whole(answer), upstream.connections_idle) == (b"one", 1)
            idle.set()
            await until_closed(upstream)
            assert upstream.connections_idle == 0

    run(scenario())


def test_idle_connections_are_limited_in_time_and_number(run: Run) -> None:
    async def scenario() -> None:
        scripts: list[Sequence[bytes | None]] = [[ONE] for _ in range(5)]
        async with served(replies(*scripts), Limits(pool_idle_s=0.1, max_idle=2)) as upstream:
            for answer in await asyncio.gather(*(post(upstream) for _ in range(5))):
                assert await whole(answer) == b"one"
            assert upstream.connections_idle == 2
            await until_closed(upstream)

    run(scenario())


def test_no_connection_is_reported_as_never_sent_and_names_the_origin_only(run: Run) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for host in ("127.0.0.1", "no-such-host.invalid"):
            upstream = Upstream(Origin("http", host, port))
            with pytest.raises(UpstreamUnreachable, match=f"http://{host}:{port} cannot be reached") as caught:
                await post(upstream)
            assert isinstance(caught.value, NeverSent)
            assert "SECRET" not in str(caught.value)
            await upstream.close()

    run(scenario())


def test_a_connect_that_takes_too_long_is_a_timeout_never_sent(run: Run) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:  # it accepts, and never says a word of TLS
            upstream = Upstream(Origin("https", "127.0.0.1", mute.getsockname()[1]), Limits(connect_s=0.1))
            with pytest.raises(UpstreamTimeout, match=r"no connection within 0\.1 s") as caught:
                await post(upstream)
            assert isinstance(caught.value, NeverSent)
            await upstream.close()

    run(scenario())


@pytest.mark.parametrize("wire", [b"", OK + b"Content-Length: 9\r\n\r\nhalf"])
def test_a_cancelled_caller_leaves_no_connection_behind(run: Run, wire: bytes) -> None:
    async def exchange(upstream: Upstream) -> None:
        await whole(await post(upstream))

    async def scenario() -> None:
        async with served(replies(*[[wire, wire]] * 9)) as upstream:
            for delay in (0, 0.0003, 0.001, 0.003, 0.01):
                task = asyncio.ensure_future(exchange(upstream))
                await asyncio.sleep(delay)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await until_closed(upstream)

    run(scenario())


def test_closing_ends_what_is_under_way_and_allows_nothing_new(run: Run) -> None:
    async def scenario() -> None:
        async with served(replies([OK + b"Content-Length: 9\r\n\r\nhalf"])) as upstream:
            answer = await post(upstream)
            await upstream.close()
            with pytest.raises(UpstreamCut, match="closed by us"):
                await whole(answer)
            with pytest.raises(NeverSent, match="the client is closed"):
                await post(upstream)

    run(scenario())


def test_who_asks_hears_when_all_is_sent_before_the_answer_comes_once(run: Run) -> None:
    heard: list[str] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(1):  # and then the connection is closed
            await read_request(reader)
            while heard.count("sent") < 1:
                await asyncio.sleep(0.001)
            writer.write(OK + b"Content-Length: 2\r\n\r\nok")

    async def scenario() -> None:
        async with served(script) as upstream:
            for count in (1, 2):
                fields = [(b"content-length", b"2")]
                answer = await upstream.request(
                    b"POST",
                    b"/",
                    fields,
                    b"hi",
                    length=2,
                    begun=lambda: heard.append("begun"),
                    sent=lambda: heard.append("sent"),
                )
                assert await whole(answer) == b"ok"
                assert heard == ["begun", "sent"] * count

    run(scenario())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make a certificate with: TLS is NOT tested here")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    wish = ["-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-newkey", "rsa:2048"]
    command = ["openssl", "req", "-x509", "-nodes", *wish, "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_tls_works_with_an_authority_of_our_own(run: Run, certificate: Path) -> None:
    body = bytes(range(256)) * 8192  # 2 MiB

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        while True:
            wire = await read_request(reader)
            writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(wire) + wire)

    async def scenario() -> None:
        async with served(script, tls=server_tls(certificate), ca_file=certificate) as upstream:
            for _ in range(3):
                answer = await post(upstream, body, len(body))
                assert await whole(answer) == body
            assert upstream.connections_opened == 1

    run(scenario())


def test_tls_without_a_known_authority_or_for_another_host_is_refused(run: Run, certificate: Path) -> None:
    async def scenario() -> None:
        quiet = asyncio.get_running_loop()
        quiet.set_exception_handler(lambda *_: None)  # the server's side complains of the handshake too
        async with served(replies(), tls=server_tls(certificate)) as upstream:
            with pytest.raises(UpstreamUnreachable, match="certificate verify failed") as caught:
                await post(upstream)
            assert isinstance(caught.value, NeverSent)
            other = Upstream(Origin("https", "localhost", upstream.origin.port), ca_file=certificate)
            with pytest.raises(UpstreamUnreachable, match="Hostname mismatch"):
                await post(other)
            await other.close()

    run(scenario())


def test_an_unreadable_file_of_authorities_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Upstream(Origin("https", "api.example", 443), ca_file=tmp_path / "missing.pem")
