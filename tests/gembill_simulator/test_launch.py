"""Starting and stopping a simulator."""

import asyncio
import os
import signal
import socket
import threading
import urllib.request

import pytest

from gembill.errors import ConfigurationError
from gembill_simulator import Simulator, run, simulator_in_thread


def test_a_thread_serves_until_its_block_ends() -> None:
    with simulator_in_thread() as url, urllib.request.urlopen(url + "/v1/models", timeout=60) as answer:
        assert answer.status == 200
    assert "gembill-simulator" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url + "/v1/models", timeout=60)


def test_a_taken_port_is_a_configuration_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=str(port)), simulator_in_thread(port=port):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", ""])
def test_only_loopback_is_served(host: str) -> None:
    async def main() -> None:
        async with Simulator().serve(host=host):
            pass

    with pytest.raises(ConfigurationError, match="loopback"):
        asyncio.run(main())


def test_a_block_that_fails_stops_the_thread_too() -> None:
    with pytest.raises(RuntimeError, match="mine"), simulator_in_thread():
        raise RuntimeError("mine")
    assert "gembill-simulator" not in {thread.name for thread in threading.enumerate()}


def test_run_serves_until_a_signal() -> None:
    urls: list[str] = []

    def started(url: str) -> None:
        urls.append(url)
        os.kill(os.getpid(), signal.SIGTERM)

    run(0, on_start=started)
    assert urls[0].startswith("http://127.0.0.1:")
