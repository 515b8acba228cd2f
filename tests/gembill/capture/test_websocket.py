"""Messages of a WebSocket, whole and in any cut, with compression and without, and little kept of a long one."""

import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from gembill.capture import websocket
from gembill.capture.websocket import Messages
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
    monkeypatch.setattr(websocket, "MAX_MESSAGE", 100)
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


def spoken(data: bytes, *, first: bool, final: bool) -> bytes:
    """A frame of a compressed message."""
    bits = (0x80 if final else 0) | (0x40 | Opcode.BINARY if first else 0)
    length = bytes((126,)) + len(data).to_bytes(2) if len(data) > 125 else bytes((len(data),))
    return bytes((bits,)) + length + data


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.booleans(), st.randoms(use_true_random=False))
def test_compressed_messages_do_not_depend_on_frames_and_cuts(messages, finished, random):
    wire = b""
    packer = zlib.compressobj(wbits=-15)
    for message in messages:
        packed = packer.compress(message)
        if finished:  # the last block says that it is the last (RFC 7692 7.2.3.4)
            packed, packer = packed + packer.flush() + b"\0", zlib.compressobj(wbits=-15)
        else:
            packed = (packed + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        middle = random.randrange(len(packed) + 1)
        wire += spoken(packed[:middle], first=True, final=False) + spoken(packed[middle:], first=False, final=True)
    cuts = sorted(random.randrange(len(wire) + 1) for _ in range(6))
    reading = Messages(masked=False, deflated=True)
    heard = [
        one for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True) for one in reading.feed(wire[start:end])
    ]
    assert (heard, reading.trouble) == (messages, None)


@pytest.mark.parametrize(
    "begin",
    [b"\x91\x00", b"\xc1\x00", b"\x80\x00", b"\x83\x00", b"\x09\x00", b"\x89\x7e", b"\x81\x80", b"\x01\x00\x01\x00"],
    ids=[
        "reserved",
        "packed",
        "continues nothing",
        "unknown",
        "control in parts",
        "long control",
        "masked",
        "two at once",
    ],
)
def test_a_frame_that_cannot_be_here_ends_the_reading_at_once(begin):
    reading = Messages(masked=False, deflated=False)
    assert reading.feed(begin)[:-1] == []
    assert reading.trouble is UnreadReason.MALFORMED
    assert reading.feed(frame(b"more")) == []


def test_damage_of_what_is_compressed_ends_the_reading():
    reading = Messages(masked=False, deflated=True)
    assert reading.feed(spoken(b"\xff" * 40, first=True, final=True)) == []
    assert reading.trouble is UnreadReason.MALFORMED


@pytest.mark.parametrize("masked", [False, True])
def test_of_a_long_message_little_is_kept_and_it_stays_json(masked):
    audio = json.dumps({"realtimeInput": {"audio": {"data": "QUJD" * (2 << 20)}}}).encode()
    wire = frame(audio, mask=masked)
    reading = Messages(masked=masked, deflated=False)
    tracemalloc.start()
    heard = [one for at in range(0, len(wire), 16_384) for one in reading.feed(wire[at : at + 16_384])]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (message,) = heard
    assert json.loads(message)["realtimeInput"]["audio"]["data"].startswith("elided:8388608:")
    assert reading.shortened is None
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"turns": [%s]}' % b",".join([b"{}"] * 40_000), UnreadReason.TOO_MANY_PARTS),
        (b"{%s}" % b",".join(b'"%d": 1' % n for n in range(100_000)), UnreadReason.TOO_LARGE),
    ],
)
def test_a_message_of_very_many_parts_is_cut_and_says_so_and_its_beginning_stays(content, reason):
    reading = Messages(masked=False, deflated=False)
    (message,) = reading.feed(frame(b'{"clientContent": %s}' % content))
    assert message.startswith(b'{"clientContent": ')
    assert len(message) < 1 << 20
    assert (reading.shortened, reading.trouble) == (reason, None)
