"""The bytes of a spool's segment: a header, then groups of frames, each with a checksum of its own (formats.md 5).

Owns: how a header, an intent, a completion, a withdrawal and a deflated group of them are written and told apart again.
Not here: files. Invariant: what `parse` gives was written exactly so; bytes that were cut, changed or never finished
give None.

A completion begins, nearly always, with the words of its intent. It keeps how many of them it shares and the number of
that intent, and then only the rest. Every intent is in the same segment as its completion, so a segment reads alone.
"""

import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum

from msgspec import Struct

WORDS = (  # what groups have in common before their first byte; another dictionary would be another version
    b'"service_tier":"flex","usage_tier":"tier_1","executionId":"},{"kind":"grounding","searches":1,"grounded":true'
    b'{"id":"0199a0b0-0000-7000-8000-","occurred_us":179,"api":"vertex","operation":"stream_generate_content","project":"'
    b'","location":"global","streamed":true,"key":"k_","labels":{"run":"},"ending":"lost"},"asked":{"model":"gemini-2.5-pro'
    b'{"id":"0199a0b0-0000-7000-8000-","occurred_us":179,"api":"gemini","operation":"generate_content","key":"k_","labels":'
    b'{"team":"},"asked":{"model":"gemini-3-flash-preview"},"ending":"lost","seen":{}},"declared":true,"conversation":"c_",'
    b'"turns":1},"ended_us":179,"ending":"finished","http_status":200,"seen":{"usage":"{\\"promptTokenCount\\":1,'
    b'\\"candidatesTokenCount\\":1,\\"totalTokenCount\\":1,\\"cachedContentTokenCount\\":1,\\"promptTokensDetails'
    b'\\":[{\\"modality\\":\\"TEXT\\",\\"tokenCount\\":1}],\\"toolUsePromptTokenCount\\":1,\\"'
    b'toolUsePromptTokensDetails\\":[{\\"modality\\":\\"TEXT\\",\\"tokenCount\\":1}],\\"thoughtsTokenCount\\":1}'
    b'","outline":[{"kind":"thought","chars":1},{"kind":"code","id":"","language":"PYTHON","chars":20,"digest":"'
    b'"},{"kind":"result","id":"","outcome":"OUTCOME_OK","chars":1,"digits":1},{"kind":"text","chars":1}],"documents":1,'
    b'"model_version":"gemini-2.5-flash","response_id":"","finish_reason":"STOP"}}'
)

MARK = b"\xf5\xfb"  # in no UTF-8 text, so that a reader finds the next frame behind damage
_MAGIC = b"gmbspl\x00\x01"
_HEADER = struct.Struct("<8sQQQI")
_FRAME = struct.Struct("<2sBBHII")
_CHECK = struct.Struct("<I")
_STAMP = struct.Struct("<QQ")
_CHECKED = struct.Struct(f"{_FRAME.format}I")  # with its checksum
_HEAD = _CHECKED.size
HEADER_BYTES = _HEADER.size + _CHECK.size
MAX_ID, _MAX_SHARED = 255, 512
_WINDOW = -12  # 4 KiB, no zlib header: a larger one would be copied for every group
_PRIMED = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, 5, zlib.Z_DEFAULT_STRATEGY, WORDS)


class Kind(IntEnum):
    """What a frame says."""

    INTENT = 1
    COMPLETION = 2
    WITHDRAWAL = 3
    GROUP = 4  # the others, deflated


@dataclass(frozen=True, slots=True)
class Header:
    """Whose segment it is, its first sequence number, when it was begun (microseconds), and how many open intents of
    earlier segments its first write repeats."""

    source_id: int
    first_seq: int
    begun_us: int
    carried: int

    def written(self) -> bytes:
        """Its bytes."""
        head = _HEADER.pack(_MAGIC, self.source_id, self.first_seq, self.begun_us, self.carried)
        return head + _CHECK.pack(zlib.crc32(head))

    @classmethod
    def read(cls, data: bytes) -> "Header | None":
        """The header at the beginning of a segment; None where it is cut, damaged or of another version."""
        if version_of(data) != _MAGIC[-1]:
            return None
        _, *fields = _HEADER.unpack_from(data)
        return cls(*fields)


def version_of(data: bytes) -> int | None:
    """The version of segments that a header is of; None where it is cut or damaged, or is not such a header."""
    if len(data) < HEADER_BYTES or _CHECK.unpack_from(data, _HEADER.size)[0] != zlib.crc32(data[: _HEADER.size]):
        return None
    return data[len(_MAGIC) - 1] if data.startswith(_MAGIC[:-1]) else None


class Frame(Struct, frozen=True, gc=False):
    """One frame: its kind, the intent it is or belongs to (0 is none), and where the next one begins."""

    kind: int
    number: int
    id_bytes: int
    shared: int
    payload: bytes
    end: int

    def intent(self) -> tuple[str, bytes]:
        """Id and body of an intent."""
        return self.payload[: self.id_bytes].decode(), self.payload[self.id_bytes :]

    def stamp(self) -> tuple[int, int]:
        """Sequence number of a completion, and when it was appended in microseconds."""
        seq, at_us = _STAMP.unpack_from(self.payload)
        return seq, at_us

    def completion(self, intent: tuple[str, bytes] | None) -> tuple[str, bytes]:
        """Id and body of a completion; `intent` is the one it belongs to, None where it belongs to none."""
        at = _STAMP.size + self.id_bytes
        if intent is None:
            return self.payload[_STAMP.size : at].decode(), self.payload[at:]
        return intent[0], intent[1][: self.shared] + self.payload[at:]


def intent(number: int, event_id: bytes, body: bytes) -> bytes:
    """The frame of an intent, which has this number in its segment."""
    return _frame(Kind.INTENT, len(event_id), 0, number, event_id + body)


def completion(seq: int, at_us: int, event_id: bytes, body: bytes) -> bytes:
    """The frame of a completion that reads alone."""
    return _frame(Kind.COMPLETION, len(event_id), 0, 0, _STAMP.pack(seq, at_us) + event_id + body)


def completion_of(seq: int, at_us: int, number: int, asked: bytes, body: bytes) -> bytes:
    """The frame of the completion of an intent in the same segment, given the intent's number and body."""
    shared = common(asked, body)
    return _frame(Kind.COMPLETION, 0, shared, number, _STAMP.pack(seq, at_us) + body[shared:])


def withdrawal(number: int) -> bytes:
    """The frame that takes an intent back."""
    return _frame(Kind.WITHDRAWAL, 0, 0, number, b"")


def group(frames: Sequence[bytes]) -> bytes:
    """The frame of a group: what is written and synced at once."""
    deflated = _PRIMED.copy()
    return _frame(Kind.GROUP, 0, 0, 0, deflated.compress(b"".join(frames)) + deflated.flush())


def grouped(group: Frame) -> list[Frame]:
    """The frames of a group. ValueError where it is none, or was not written with these words."""
    if group.kind != Kind.GROUP:
        raise ValueError("it is not a group")
    try:
        data = zlib.decompressobj(_WINDOW, WORDS).decompress(group.payload)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    frames, at = [], 0
    while at < len(data):
        frame = parse(data, at)
        if frame is None:
            raise ValueError(f"a frame at {at} of it is none")
        frames.append(frame)
        at = frame.end
    return frames


def payload_of(damaged: bytes) -> bytes:
    """What lies where the payload of a frame would be that begins here, whatever its head says."""
    return damaged[_HEAD:]


def inflated(payload: bytes) -> bytes:
    """What a group holds, as far as it can be inflated: all of it, or what is before the damage and maybe garbage."""
    opener = zlib.decompressobj(_WINDOW, WORDS)
    pieces: list[bytes] = []
    with suppress(zlib.error):  # a byte at a time, so that nothing before the damage is lost with it
        pieces.extend(opener.decompress(payload[at : at + 1]) for at in range(len(payload)))
    return b"".join(pieces)


def _frame(kind: Kind, id_bytes: int, shared: int, number: int, payload: bytes) -> bytes:
    head = _FRAME.pack(MARK, kind, id_bytes, shared, number, len(payload))
    return head + _CHECK.pack(zlib.crc32(payload, zlib.crc32(head))) + payload


def common(one: bytes, other: bytes) -> int:
    """How many bytes two texts begin with alike, at most 512."""
    size = min(len(one), len(other), _MAX_SHARED)
    differ = int.from_bytes(one[:size], "big") ^ int.from_bytes(other[:size], "big")
    return size - (differ.bit_length() + 7) // 8


def parse(data: bytes, at: int) -> Frame | None:
    """The frame that begins at this place; None where there is none, or not all of it."""
    payload_at = at + _HEAD
    if len(data) < payload_at:
        return None
    mark, kind, id_bytes, shared, number, length, check = _CHECKED.unpack_from(data, at)
    end = payload_at + length
    if mark != MARK or len(data) < end:
        return None
    payload = data[payload_at:end]
    if check != zlib.crc32(payload, zlib.crc32(data[at : at + _FRAME.size])):
        return None
    return Frame(kind, number, id_bytes, shared, payload, end)


def find(data: bytes, at: int) -> int | None:
    """Where the next whole frame begins, at this place or behind it."""
    while (at := data.find(MARK, at)) >= 0:
        if parse(data, at) is not None:
            return at
        at += 1
    return None


def is_cut(rest: bytes) -> bool:
    """Whether the end of a segment that is not a whole frame is the beginning of one, or nothing but zeros."""
    if len(rest) < _HEAD or not any(rest):
        return True
    mark, _, _, _, _, length = _FRAME.unpack_from(rest)
    return bool(mark == MARK and len(rest) < _HEAD + length)
