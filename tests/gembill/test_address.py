"""Where we listen: loopback by address, and a port or one clear sentence."""

import socket

import pytest

from gembill.address import listen, loopback
from gembill.errors import ConfigurationError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_what_only_this_machine_can_reach_is_loopback(host):
    assert loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com", ""])
def test_anything_else_counts_as_reachable(host):
    assert not loopback(host)


def test_a_port_is_taken_once_and_then_refused_in_one_sentence():
    with listen("127.0.0.1", 0, backlog=1) as taken:
        port = taken.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 5).close()
        with pytest.raises(ConfigurationError, match=f"127.0.0.1 port {port}: .*--port"):
            listen("127.0.0.1", port, backlog=1)
