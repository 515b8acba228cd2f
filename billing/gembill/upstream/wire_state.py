"""What the system knows of a connection that nothing has told us yet.

Owns: whether the other side has sent or closed, and how much of what was sent it has confirmed. Not here: what follows
from that (`client`, `connection`). Invariant: where the system cannot say, the answer is the one that makes us do less.
"""

import asyncio
import select
import socket
import struct
from collections.abc import Callable, Sequence

_BYTES_ACKED = 120  # where struct tcp_info of Linux (4.1) has tcpi_bytes_acked
_ENOUGH = _BYTES_ACKED + 8
_CAN_POLL = hasattr(select, "poll")
_CAN_ASK = hasattr(socket, "TCP_INFO")


def news_of(transport: asyncio.BaseTransport) -> Callable[[int], Sequence[object]]:
    """What tells, asked with 0, whether something waits to be read, be it the end: a close that arrived since the loop
    looked last. To be kept for a connection and not asked once it is closed: its number may be another's by then."""
    wire = transport.get_extra_info("socket")
    if wire is None or not _CAN_POLL:
        return lambda _milliseconds: ()
    poll = select.poll()
    poll.register(wire.fileno(), select.POLLIN)
    return poll.poll


def acknowledged(transport: asyncio.BaseTransport) -> int | None:
    """The bytes that the machine at the other end has confirmed so far (RFC 9293); None where that is not known."""
    wire = transport.get_extra_info("socket")
    if wire is None or not _CAN_ASK:
        return None
    try:
        asked = socket.SocketType(
            socket.AF_INET, socket.SOCK_STREAM, 0, wire.fileno()
        )  # as uvloop does, at half the cost
        try:
            info = asked.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ENOUGH)
        finally:
            asked.detach()  # the connection's own socket stays open
    except (OSError, ValueError):  # it is closed
        return None
    return int(struct.unpack_from("Q", info, _BYTES_ACKED)[0]) if len(info) >= _ENOUGH else None
