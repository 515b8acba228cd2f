"""What the proxy adds: CPU per recorded call and time to the first event, against a plain relay in the same run.

The yardstick is a relay on aiohttp (server and client), the reference of the house plan; both are in front of the same
simulator. Run by hand: `python tests/bench/bench_proxy.py`. Ratios are what to read; the machine is shared.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, CALLS, AT_ONCE = 5, 1_000, 16
BODY = b'{"contents": [{"parts": [{"text": "Good morning"}]}]}'
HELLO = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"

RELAY = """
import sys
from aiohttp import ClientSession, web
async def relay(request):
    async with request.app["client"].request(request.method, sys.argv[1] + request.raw_path, data=await request.read(),
        headers={k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}) as answer:
        out = web.StreamResponse(status=answer.status, headers={"content-type": answer.headers["content-type"]})
        await out.prepare(request)
        async for piece in answer.content.iter_any():
            await out.write(piece)
        return out
async def start(app):
    app["client"] = ClientSession(auto_decompress=False)
app = web.Application()
app.on_startup.append(start)
app.router.add_route("*", "/{rest:.*}", relay)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
"""


def free_port() -> int:
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def start(command: list[str], port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    import socket

    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return child
        time.sleep(0.05)
    raise SystemExit(f"{command} does not listen")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(port: int, calls: int) -> float:
    """Make calls over kept-alive connections; seconds."""
    import aiohttp

    left = iter(range(calls))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def client() -> None:
            for _ in left:
                async with session.post(
                    f"http://127.0.0.1:{port}{HELLO}",
                    data=BODY,
                    headers={"x-goog-api-key": "k" * 20, "accept-encoding": "identity"},
                ) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(AT_ONCE)))
        return time.perf_counter() - began


async def first_event(port: int) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {STREAM} HTTP/1.1\r\nHost: x\r\nx-goog-api-key: {'k' * 20}\r\naccept-encoding: identity\r\ncontent-length: {len(BODY)}\r\nconnection: close\r\n\r\n"
    began = time.perf_counter()
    writer.write(head.encode() + BODY)
    seen = b""
    while b"data:" not in seen:
        piece = await reader.read(65536)
        if not piece:
            raise SystemExit(f"no event came: {seen[:300]!r}")
        seen += piece
    taken = time.perf_counter() - began
    await reader.read()
    writer.close()
    return taken


def measure(name: str, port: int, pid: int) -> tuple[float, float, float]:
    before = cpu_seconds(pid)
    seconds = asyncio.run(load(port, CALLS))
    cpu = (cpu_seconds(pid) - before) / CALLS * 1e6
    first = statistics.median(asyncio.run(first_event(port)) for _ in range(15)) * 1e6
    print(f"{name:8} {cpu:7.0f} us CPU a call  {CALLS / seconds:7.0f} calls/s  {first:7.0f} us to the first event")
    return cpu, seconds, first


def main() -> None:
    """Measure both in turn, several rounds, and print the median of the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GEMBILL_DATA_DIR": folder, "HOME": folder}
        upstream, ours, theirs = free_port(), free_port(), free_port()
        gembill = [sys.executable, "-m", "gembill"]
        children = [start([*gembill, "simulate", "--port", str(upstream)], upstream, environment)]
        try:
            url = f"http://127.0.0.1:{upstream}"
            children.append(start([*gembill, "proxy", "--port", str(ours), "--upstream", url], ours, environment))
            children.append(start([sys.executable, "-c", RELAY, url, str(theirs)], theirs, environment))
            asyncio.run(load(ours, 200))
            asyncio.run(load(theirs, 200))
            rounds = [
                (measure("gembill", ours, children[1].pid), measure("aiohttp", theirs, children[2].pid))
                for _ in range(ROUNDS)
            ]
        finally:
            for child in children:
                child.terminate()
                child.wait()
    for index, what in enumerate(("CPU a recorded call", "time of the load", "first event")):
        print(f"{what}: {statistics.median(a[index] / b[index] for a, b in rounds):.2f} of a plain aiohttp relay")


if __name__ == "__main__":
    main()
