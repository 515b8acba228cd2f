"""HTTP/1.1 on a socket: keep-alive, pipelining, odd requests, timing."""

import asyncio
import time

import pytest

from gembill_simulator import Options, Simulator

_BODY = b'{"contents":[{"parts":[{"text":"Hello"}]}]}'


def post(path: str = "/v1/models/gemini-2.5-flash:generateContent", headers: str = "", version: str = "1.1") -> bytes:
    return f"POST {path} HTTP/{version}\r\nHost: x\r\n{headers}Content-Length: {len(_BODY)}\r\n\r\n".encode() + _BODY


def talk(*requests: bytes, settings: Options | None = None, answers: int | None = None) -> bytes:
    """Send requests at once; read that many chunked answers, or until the server closes."""

    async def main() -> bytes:
        async with Simulator(settings).serve() as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2]))
            writer.write(b"".join(requests))
            read = reader.read() if answers is None else _read(reader, answers)
            received = await asyncio.wait_for(read, 60)
            writer.close()
            return received

    return asyncio.run(main())


async def _read(reader: asyncio.StreamReader, answers: int) -> bytes:
    return b"".join([await reader.readuntil(b"\r\n0\r\n\r\n") for _ in range(answers)])


def test_requests_sent_at_once_are_answered_in_order_on_one_connection() -> None:
    answers = talk(post(), post("/nowhere"), post(), answers=3)
    heads = [line for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert heads == [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 200 OK"]


def test_a_client_that_asks_to_close_gets_its_answer_and_the_end() -> None:
    answers = talk(post(headers="Connection: close\r\n"))
    assert b"\r\nConnection: close\r\n" in answers
    assert answers.endswith(b"\r\n0\r\n\r\n")


def test_http_1_0_gets_no_chunks() -> None:
    answers = talk(post(version="1.0"))
    assert b"Transfer-Encoding" not in answers
    assert answers.endswith(b"}")


def test_a_body_in_chunks_is_read_and_an_expectation_is_answered() -> None:
    head = b"POST /v1/models/gemini-2.5-flash:generateContent HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY)
    answers = talk(chunked, answers=1)
    assert answers.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


def test_an_offer_to_upgrade_is_ignored_as_google_s_servers_ignore_it() -> None:
    head = post(headers=OFFER).removesuffix(_BODY).replace(b"Content-Length: %d\r\n" % len(_BODY), b"")
    chunked = head[:-2] + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY)
    expecting = post(headers=OFFER + "Expect: 100-continue\r\n")
    answers = talk(post(headers=OFFER), chunked, expecting, post(), answers=4)
    assert answers.count(b"HTTP/1.1 200 OK") == 4
    assert answers.count(b"HTTP/1.1 100 Continue") == 1
    assert answers.count(b'"totalTokenCount"') == 4


def test_a_request_for_a_tunnel_is_a_400() -> None:
    assert talk(b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request")


def test_what_is_not_http_is_a_400_and_the_end() -> None:
    assert talk(b"gibberish\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request")


def test_a_body_over_the_limit_ends_the_connection() -> None:
    async def main() -> bytes:
        async with Simulator().serve() as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2]))
            writer.write(b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            try:
                for _ in range(80):
                    writer.write(b"x" * (1 << 20))
                    await writer.drain()
                return await asyncio.wait_for(reader.read(), 60)
            except ConnectionError:
                return b""
            finally:
                writer.close()

    assert asyncio.run(main()) == b""


def test_chunks_leave_as_they_come() -> None:
    """The first comes while the second is still to be waited for, whatever the machine is busy with."""

    async def main() -> bytes:
        async with Simulator(Options(chunk_ms=600_000)).serve() as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2]))
            writer.write(post("/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "x-simulator-runs: ok\r\n"))
            head = await reader.readuntil(b"data: ")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readuntil(b"data: "), 0.1)
            writer.close()
            return head

    assert asyncio.run(main()).startswith(b"HTTP/1.1 200")


def test_as_many_chunks_come_as_there_are() -> None:
    answer = talk(
        post("/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "x-simulator-runs: ok\r\n"),
        settings=Options(chunk_ms=1),
        answers=1,
    )
    assert answer.count(b"data: ") >= 3


def test_latency_passes_before_the_answer() -> None:
    start = time.perf_counter()
    talk(post(), settings=Options(latency_ms=80), answers=1)
    assert time.perf_counter() - start >= 0.08


def test_a_client_that_leaves_a_stream_is_logged_without_usage() -> None:
    simulator = Simulator(Options(chunk_ms=30))

    async def main() -> None:
        async with simulator.serve() as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(running.url.rpartition(":")[2]))
            writer.write(post("/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "x-simulator-runs: ok\r\n"))
            await reader.readuntil(b"data: ")
            writer.transport.abort()
            while not simulator.served:
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 60))
    assert [served.usage for served in simulator.served] == [None]
