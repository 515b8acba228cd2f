import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.event import Ending, Event
from gembill.posting import read_event
from gembill.spool import frames
from gembill.spool.frames import HEADER_BYTES, Header, Kind, common, find, is_cut, parse
from tests.gembill.calls import typical

texts = st.binary(max_size=700)
ASKED = ("id", "occurred_us", "api", "operation", "key", "labels")
encode = msgspec.json.encode


@given(name=st.text(st.characters(codec="utf-8"), max_size=60), asked=texts, tail=texts, seq=st.integers(0, 2**63 - 1))
def test_what_was_written_is_read_again(name: str, asked: bytes, tail: bytes, seq: int) -> None:
    opened = parse(frames.intent(7, name.encode(), asked), 0)
    assert opened is not None
    assert (opened.kind, opened.number, opened.intent()) == (Kind.INTENT, 7, (name, asked))
    body = asked[: len(asked) // 2] + tail
    with_intent = parse(frames.completion_of(seq, 12, 7, asked, body), 0)
    alone = parse(frames.completion(seq, 12, name.encode(), body), 0)
    for frame in (with_intent, alone):
        assert frame is not None
        assert (frame.kind, frame.stamp()) == (Kind.COMPLETION, (seq, 12))
        assert frame.completion((name, asked) if frame.number else None) == (name, body)


@given(one=texts, other=texts)
def test_two_texts_share_their_beginning(one: bytes, other: bytes) -> None:
    for right in (other, one[:5] + other, one):
        size = common(one, right)
        assert one[:size] == right[:size]
        assert size == 512 or one[size : size + 1] != right[size : size + 1] or size == min(len(one), len(right))


def test_a_completion_leaves_out_what_its_intent_says() -> None:
    asked = b'{"id":"a","occurred_us":5,"labels":{"team":"search"},"asked":{"model":"m"'
    frame = frames.completion_of(1, 2, 3, asked, asked + b',"turns":1}}')
    assert asked not in frame
    assert len(frame) < len(asked)


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_changed_bit_is_never_read(at: int, bit: int) -> None:
    data = bytearray(frames.completion(1, 2, b"name", b"body" * 20))
    data[at % len(data)] ^= 1 << bit
    assert parse(bytes(data), 0) is None


def test_a_frame_that_was_cut_is_none_and_known_as_cut() -> None:
    whole = frames.intent(1, b"name", b"body" * 20)
    for size in range(len(whole)):
        assert parse(whole[:size], 0) is None
        assert is_cut(whole[:size])
    assert is_cut(bytes(4096))
    damaged = whole[:-1] + b"!"
    assert not is_cut(damaged)


@given(bodies=st.lists(texts, max_size=8))
def test_a_group_gives_back_its_frames(bodies: list[bytes]) -> None:
    written = [frames.completion(n, 0, b"e", body) for n, body in enumerate(bodies)]
    group = parse(frames.group(written), 0)
    assert group is not None
    assert [frame.completion(None) for frame in frames.grouped(group)] == [("e", body) for body in bodies]


def test_what_is_no_group_is_said() -> None:
    for bad in (frames.withdrawal(1), frames._frame(Kind.GROUP, 0, 0, 0, b"not deflated")):
        frame = parse(bad, 0)
        assert frame is not None
        with pytest.raises(ValueError, match=r"not a group|Error"):
            frames.grouped(frame)


def test_a_typical_call_takes_less_than_half_a_kilobyte() -> None:
    entries = list(typical(64))
    asked = [
        Event(**{name: getattr(event, name) for name in ASKED}, ending=Ending.LOST)
        for event in map(read_event, (entry.body for entry in entries))
    ]
    sizes = []
    for together in (1, 16):
        size = 0
        for first in range(0, 64, together):
            some = range(first, first + together)
            intents = [encode(asked[n]) for n in some]
            size += len(
                frames.group(
                    [frames.intent(n, asked[n].id.encode(), body) for n, body in zip(some, intents, strict=True)]
                )
            )
            size += len(
                frames.group(
                    [
                        frames.completion_of(n, 0, n, body, entries[n].body)
                        for n, body in zip(some, intents, strict=True)
                    ]
                )
            )
        sizes.append(size / 64)
    assert sizes[0] < 500, "one call at a time"
    assert sizes[1] < 350, "sixteen at a time"


def test_the_next_frame_is_found_behind_damage() -> None:
    junk = random.Random(3).randbytes(5000) + frames.MARK * 9
    data = junk + frames.withdrawal(4) + b"more"
    assert find(data, 0) == len(junk)
    assert find(junk, 0) is None


def test_a_header_is_read_or_refused() -> None:
    header = Header(source_id=77, first_seq=5, begun_us=9, carried=2)
    written = header.written()
    assert len(written) == HEADER_BYTES
    assert Header.read(written + b"more") == header
    assert Header.read(written[:-1]) is None
    assert Header.read(written.replace(b"\x01", b"\x02", 1)) is None
