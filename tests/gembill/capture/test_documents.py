"""Bytes into documents: the framing, the encodings, the bound on memory."""

import gzip
import itertools
import json
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.capture.documents import LONG, Documents
from gembill.capture.eliding import Bounds
from gembill.event import UnreadReason
from gembill.wire.json_text import size

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_object = st.dictionaries(st.text(max_size=6), _json, max_size=4)
_objects = st.lists(_object, min_size=1, max_size=5)


def read(body: bytes, encoding: str = "", cuts: list[int] | None = None) -> list[object]:
    documents = Documents(encoding)
    edges = [0, *sorted(c % (len(body) + 1) for c in cuts or []), len(body)]
    complete = [d for a, b in itertools.pairwise(edges) for d in documents.feed(body[a:b])]
    return [json.loads(d) for d in complete + documents.close()]


def as_events(objects: list[object], end: str = "\r\n") -> bytes:
    return "".join(f"data: {json.dumps(o, ensure_ascii=False)}{end}{end}" for o in objects).encode()


def as_array(objects: list[object]) -> bytes:
    return ("[" + "\r\n,".join(json.dumps(o) for o in objects) + "]").encode()


@given(_objects, st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from(["\n", "\r", "\r\n"]))
def test_events_are_the_same_in_any_cut(objects, cuts, end):
    assert read(as_events(objects, end), cuts=cuts) == objects


@given(_objects, st.lists(st.integers(0, 10_000), max_size=12))
def test_a_streamed_array_is_the_same_in_any_cut(objects, cuts):
    assert read(as_array(objects), cuts=cuts) == objects


@given(_object, st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from(["", "gzip", "deflate"]))
def test_one_text_is_the_same_in_any_cut_and_encoding(value, cuts, encoding):
    body = json.dumps(value, indent=1).encode()
    packed = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[encoding](body)
    assert read(packed, encoding, cuts) == [value]


def test_a_text_that_grows_long_after_its_first_piece_is_read_from_its_beginning():
    text = "x" * 2 * LONG
    documents = Documents()
    pieces = [b'{"a": 1, "text": "', *[text[at : at + 9_000].encode() for at in range(0, len(text), 9_000)], b'"}']
    assert [documents.feed(piece) for piece in pieces] == [[]] * len(pieces)
    (document,) = documents.close()
    read_back = json.loads(document)
    assert (read_back["a"], size(read_back["text"])) == (1, len(text))


def test_gzip_may_come_in_several_members():
    first, second = as_events([{"n": 1}]), as_events([{"n": 2}])
    assert read(gzip.compress(first) + gzip.compress(second), "gzip", [5, 31, 40]) == [{"n": 1}, {"n": 2}]


def test_a_line_separator_of_unicode_does_not_end_a_line():
    text = {"text": "one\u2028two\u0085three"}
    assert read(as_events([text])) == [text]


def test_comments_event_names_and_the_done_mark_are_not_documents():
    body = b': hello\nevent: interaction.completed\nid: 7\ndata: {"a":1}\n\nevent: done\ndata: [DONE]\n\n'
    assert read(body) == [{"a": 1}]


def test_data_over_several_lines_is_one_document():
    assert read(b'data: {"a":\ndata: 1}\n\n') == [{"a": 1}]


def test_the_last_event_needs_no_blank_line():
    assert read(b'data: {"a":1}\n\ndata: {"b":2}') == [{"a": 1}, {"b": 2}]


def test_an_empty_body_has_no_document():
    assert read(b"") == []
    assert read(b" \r\n ") == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["text", "array", "events"]))
def test_long_strings_are_elided_alike_in_any_cut(seed, framing):
    chance = random.Random(seed)
    long = "".join(chance.choices('ab\\"\u20ac\n', k=LONG + chance.randrange(20_000)))
    value = {"before": "x", "data": long, "list": [1, {"short": "y" * 100}], "more": "z" * LONG}
    body = {"text": json.dumps(value).encode(), "array": as_array([value, value]), "events": as_events([value, value])}[
        framing
    ]
    cuts = [chance.randrange(len(body)) for _ in range(chance.randrange(40))]
    whole, cut = read(body), read(body, cuts=cuts)
    assert whole == cut
    assert whole[0]["data"].startswith("elided:")
    assert size(whole[0]["data"]) >= LONG
    assert {k: whole[0][k] for k in ("before", "list", "more")} == {k: value[k] for k in ("before", "list", "more")}


_PIECES = st.lists(st.sampled_from(["A" * 70_000, "a" * 9, "\\", '"', "\u20ac", "}"]), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(_PIECES, st.lists(st.integers(0, 400_000), max_size=12), st.sampled_from(["text", "array", "events", "gzip"]))
def test_what_is_passed_over_is_kept_as_if_it_had_been_looked_at(pieces, cuts, framing):
    value = {"data": "".join(pieces), "list": [1], "more": "z" * LONG}
    text = json.dumps(value).encode()
    body = {"text": text, "array": as_array([value]), "events": as_events([value]), "gzip": gzip.compress(text, 1)}[
        framing
    ]
    documents = Documents("gzip" if framing == "gzip" else "")
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    parts = [body[start:end] for start, end in itertools.pairwise(edges)]
    kept = [one for part in parts if not documents.passes_over(part) for one in documents.feed(part)]
    assert [json.loads(one) for one in kept + documents.close()] == read(body, "gzip" if framing == "gzip" else "")


@pytest.mark.parametrize("place", [0, 1000, LONG - 1, LONG, LONG + 1, 2 * LONG, 3 * LONG])
def test_different_long_strings_stay_different(place):
    text = "a" * (3 * LONG)
    one, two = (read(json.dumps({"d": text[:place] + c + text[place:]}).encode())[0]["d"] for c in "ab")
    assert one != two
    assert size(one) == size(two) == 3 * LONG + 1


def test_a_long_body_is_kept_in_little_memory():
    documents = Documents()
    documents.feed(b'{"data": "')
    for _ in range(200):
        documents.feed(b"A" * 100_000)
        assert len(documents._framing._long.out) < 2 * LONG
    documents.feed(b'", "n": 1}')
    assert json.loads(documents.close()[0])["n"] == 1


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", b"\x0b\x02\x80"), ("gzip", b"no gzip at all"), ("zstd", b"(\xb5/\xfd")]
)
def test_an_encoding_that_cannot_be_read_is_said(encoding, body):
    documents = Documents(encoding)
    assert documents.feed(body) == []
    assert documents.trouble == "encoding"


@given(st.lists(st.integers(0, 2_000), max_size=8), st.integers(20, 200))
def test_what_precedes_damage_is_the_same_in_any_cut(cuts, place):
    packed = bytearray(gzip.compress(as_events([{"n": n, "text": "x" * n} for n in range(60)])))
    packed[place : place + 4] = b"\xff\xff\xff\xff"
    assert damaged(bytes(packed), cuts) == damaged(bytes(packed), [])


def damaged(body: bytes, cuts: list[int]) -> tuple[list[bytes], str | None]:
    documents = Documents("gzip")
    edges = [0, *sorted(c % (len(body) + 1) for c in cuts), len(body)]
    complete = [d for a, b in itertools.pairwise(edges) for d in documents.feed(body[a:b])]
    return complete, documents.trouble


def test_a_bomb_stops_the_reading_and_nothing_else():
    documents = Documents("gzip")
    for piece in (gzip.compress(b'{"a": "' + b"A" * (64 << 20)), gzip.compress(b"A" * (96 << 20))):
        documents.feed(piece)
    assert documents.trouble == "too_large"


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"", b"no JSON at all, and no line end either"),
        (b"", b"data: {}\n"),
        (b"", b"data:" + b"x" * 1_000),
        (b"", b"id: 1\n" + b"data: [" * 100),
        (b"{", b'"a": {}, '),
        (b"{", b"1.5, "),
        (b'{"a": [', b'{"text": "a"}, '),
        (b'{"a": [', b'"' + b"\\u00e4" * 1_000 + b'", '),
        (b'{"a": "', b"x" * 1_000),
        (b'{"a": [', b'"' + b"x[" * 20_000 + b'", '),
        (b"[", b"1, "),
        (b"[{", b'"a": [[], {}], '),
        (b"", b" \n"),
    ],
)
def test_whatever_comes_memory_is_bounded(begin, piece, lines):
    bounds = Bounds(size=128 * 1024, containers=5_000, quotes=5_000)
    pieces = piece * (16 * 1024 // len(piece) + 1)
    documents = Documents(lines=lines, bounds=bounds)
    tracemalloc.start()
    try:
        for part in (begin, *[pieces] * 192):  # 3 MiB
            documents.feed(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 << 19
    documents.close()


def test_of_an_event_of_very_many_lines_nothing_is_read_and_those_after_it_are():
    documents = Documents()
    assert documents.feed(b"data: {\n" * 40_000 + b"\n" + b'data: {"n": 1}\n\n') == [b'{"n": 1}']
    assert documents.shortened is UnreadReason.TOO_LARGE


def test_a_long_line_that_is_no_data_hides_no_event():
    documents = Documents()
    assert documents.feed(b": " + b"x" * 3 * LONG) == []
    assert documents.feed(b"x" * LONG + b'\n\ndata: {"n": 1}\n\n') == [b'{"n": 1}']
    assert documents.shortened is None


def test_a_line_of_which_too_much_was_left_out_keeps_its_place():
    documents = Documents(lines=True)
    large = b"{%s}\n" % b",".join(b'"member %d": {}' % n for n in range(400_000))
    read = [
        document for start in range(0, len(large), LONG) for document in documents.feed(large[start : start + LONG])
    ]
    assert read + documents.feed(b'{"n": 1}\n') == [b"", b'{"n": 1}']
    assert documents.shortened is UnreadReason.TOO_LARGE
