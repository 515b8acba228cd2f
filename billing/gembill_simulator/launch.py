"""Starting a simulator outside of an event loop.

Owns: the blocking run of the command line and the thread for synchronous programs. Not here: the server's behaviour.
Invariant: when a `with` block or `run` ends, its port is free and its thread is gone.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from gembill_simulator.options import Options
from gembill_simulator.server import Running, Simulator

_Started = Future[tuple[Running, Callable[[], object]]]


@contextlib.contextmanager
def in_thread(simulator: Simulator, port: int = 0) -> Iterator[Running]:
    """Serve from a thread of its own; `Running.served` may be read from the caller's thread.

    Raises ConfigurationError when the port cannot be had.
    """
    started: _Started = Future()
    thread = threading.Thread(target=_serve, args=(simulator, port, started), name="gembill-simulator", daemon=True)
    thread.start()
    try:
        running, stop = started.result()
        try:
            yield running
        finally:
            stop()
    finally:
        thread.join()


@contextlib.contextmanager
def simulator_in_thread(settings: Options | None = None, port: int = 0) -> Iterator[str]:
    """Serve from a thread; yields the URL to use as `base_url`."""
    with in_thread(Simulator(settings), port) as running:
        yield running.url


def run(
    port: int,
    settings: Options | None = None,
    *,
    host: str = "127.0.0.1",
    on_start: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until SIGINT or SIGTERM; `on_start` gets the URL once connections are taken.

    Raises ConfigurationError when the host is not loopback or the port cannot be had.
    """
    with asyncio.Runner(loop_factory=_new_loop()) as runner:
        runner.run(_run(Simulator(settings), port, host, on_start))


async def _run(simulator: Simulator, port: int, host: str, on_start: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with simulator.serve(port, host) as running:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
                loop.add_signal_handler(number, stopped.set)
        on_start(running.url)
        await stopped.wait()


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:  # not on Windows and not on every interpreter
        return asyncio.new_event_loop
    return new_event_loop


def _serve(simulator: Simulator, port: int, started: _Started) -> None:
    async def main() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with simulator.serve(port) as running:
            started.set_result((running, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()

    try:
        with asyncio.Runner(loop_factory=_new_loop()) as runner:
            runner.run(main())
    except BaseException as reason:  # handed to the thread that waits for the start
        if started.done():
            raise
        started.set_exception(reason)
