"""Messages of a WebSocket, whole and in any cut, with compression and without. Sessions: tests/e2e/test_live.py."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from gembill.capture import live
from gembill.capture.live import Messages
from gembill.event import UnreadReason


def frame(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True, mask: bool = False) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


@given(st.lists(st.binary(max_size=300), max_size=6), st.booleans(), st.randoms(use_true_random=False))
def test_messages_do_not_depend_on_how_their_bytes_are_cut(messages, masked, random):
    wire = b"".join(frame(message, Opcode.BINARY, mask=masked) for message in messages)
    cuts = sorted(random.randrange(len(wire) + 1) for _ in range(5))
    reading = Messages(masked=masked, deflated=False)
    heard = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        heard += reading.feed(wire[start:end])
    assert (heard, reading.trouble) == (messages, None)


def test_a_message_in_pieces_is_one_and_pings_between_them_are_none():
    reading = Messages(masked=False, deflated=False)
    wire = frame(b"ab", fin=False) + frame(b"ping", Opcode.PING) + frame(b"cd", Opcode.CONT)
    assert reading.feed(wire) == [b"abcd"]


def test_compressed_messages_are_read_with_what_came_before():
    packer = zlib.compressobj(wbits=-15)
    reading = Messages(masked=False, deflated=True)
    for message in (b"hello hello", b"hello hello again"):
        packed = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        head = bytes((0x80 | 0x40 | Opcode.TEXT, len(packed)))  # the last frame of a compressed text
        assert reading.feed(head + packed) == [message]


@pytest.mark.parametrize("pieces", [[b"x" * 101], [b"x" * 60, b"x" * 60]])
def test_a_message_that_is_too_long_ends_the_reading(pieces, monkeypatch):
    monkeypatch.setattr(live, "MAX_MESSAGE", 100)
    reading = Messages(masked=False, deflated=False)
    opcodes = [Opcode.TEXT, *[Opcode.CONT] * (len(pieces) - 1)]
    wire = b"".join(frame(piece, code, fin=False) for piece, code in zip(pieces, opcodes, strict=True))
    assert reading.feed(wire) == []
    assert reading.trouble is UnreadReason.TOO_LARGE
    assert reading.feed(frame(b"more")) == []


def test_what_is_not_a_frame_ends_the_reading():
    reading = Messages(masked=False, deflated=False)
    assert reading.feed(b"\xff\xff\xff\xff") == []
    assert reading.trouble is UnreadReason.MALFORMED
