"""A plain relay on aiohttp, server and client, that records nothing: aiohttp_relay.py UPSTREAM PORT."""

import sys

from aiohttp import ClientSession, TCPConnector, web

DROPPED = {"host", "content-length", "connection", "transfer-encoding"}


async def relay(request: web.Request) -> web.StreamResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in DROPPED}
    body = await request.read()
    async with request.app["client"].request(
        request.method, sys.argv[1] + request.raw_path, data=body, headers=headers
    ) as answer:
        kept = {
            name: value for name, value in answer.headers.items() if name.lower() not in DROPPED - {"content-length"}
        }
        out = web.StreamResponse(status=answer.status, headers=kept)
        await out.prepare(request)
        async for piece in answer.content.iter_any():
            await out.write(piece)
        await out.write_eof()
        return out


async def started(app: web.Application) -> None:
    app["client"] = ClientSession(auto_decompress=False, connector=TCPConnector(limit=0))


app = web.Application(client_max_size=1 << 30)
app.on_startup.append(started)
app.router.add_route("*", "/{rest:.*}", relay)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
