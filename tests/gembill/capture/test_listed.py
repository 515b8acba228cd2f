"""Items of lists deep in a document: the same in any cut, each with its place, and little kept of any of them."""

import itertools
import json
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gembill.event import UnreadReason
from tests.gembill.list_items import read

PATHS = ((b"a", b"list"), (b"b", b"deep", b"list"))
WANTED = ((b"b", b"model"),)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(['"', "\\", '\\"]', "}{", ",]"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
LISTS = st.lists(VALUES, max_size=4)


def document(one: list, other: list, beside: object, model: str) -> dict:
    return {"x": beside, "a": {"y": [beside], "list": one, "z": {"list": [beside]}}, "b": {"model": model, "deep": {"list": other}}}  # fmt: skip


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


@given(LISTS, LISTS, VALUES, st.lists(st.integers(0, 10_000), max_size=8), st.sampled_from([None, 1]))
@settings(max_examples=150, deadline=None)
def test_items_are_those_of_the_list_in_any_cut_and_the_rest_has_empty_ones(one, other, beside, cuts, indent):
    body = json.dumps(document(one, other, beside, "m-1"), indent=indent).encode()
    listed, (rest,), texts = read(pieces(body, cuts), PATHS, WANTED)
    wanted = [
        (path, place, item) for path, items in zip(PATHS, (one, other), strict=True) for place, item in enumerate(items)
    ]
    assert [(path, place) for path, place, _, _ in listed] == [(path, place) for path, place, _ in wanted]
    containers = [(item, text) for (*_, item), (_, _, text, _) in zip(wanted, listed, strict=True)]
    assert all(json.loads(text) == (item if isinstance(item, dict | list) else None) for item, text in containers)
    assert json.loads(rest) == document([], [], beside, "m-1")
    assert texts == {WANTED[0]: b"m-1"}


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=3))
@example(b'["]', [])
@settings(max_examples=80, deadline=None)
def test_no_bytes_raise(body, cuts):
    for begin in (b"", b"{", b'{"a":{"list":[', b'{"a":{"list":[{', b'{"a":{"list":["'):
        read(pieces(begin + body, cuts), PATHS)


def test_an_item_that_is_cut_off_is_none():
    listed, (rest,), _ = read([b'{"a": {"list": [{"n": 1}, {"n": '], PATHS)
    assert [text for _, _, text, _ in listed] == [b'{"n": 1}']
    assert rest == b'{"a": {"list": ['


@pytest.mark.parametrize(
    ("item", "kept", "unread"),
    [
        (b'{"usage": 1, "parts": [%s]}' % b",".join([b"{}"] * 40_000), True, UnreadReason.TOO_MANY_PARTS),
        (b"{%s}" % b",".join(b'"%d": 1' % n for n in range(100_000)), False, UnreadReason.TOO_LARGE),
    ],
)
def test_an_item_is_bounded_as_any_document_is_and_hides_no_other(item, kept, unread):
    body = b'{"a": {"list": [{"n": 1}, %s, {"n": 2}]}}' % item
    listed, _, _ = read([body[at : at + 16_384] for at in range(0, len(body), 16_384)], PATHS)
    assert [(place, why) for _, place, _, why in listed] == [(0, None), (1, unread), (2, None)]
    assert [text is not None for _, _, text, _ in listed] == [True, kept, True]
    assert not kept or json.loads(listed[1][2])["usage"] == 1


def test_a_long_list_and_what_is_deep_take_no_memory():
    item = b'{"text": "%s"}' % (b"x" * 1_000)
    listed = 0

    def taken(*_: object) -> None:
        nonlocal listed
        listed += 1

    from gembill.capture.documents import Documents
    from gembill.capture.listed import ListItems

    documents = Documents(framing=lambda elider, note: ListItems(elider, note, paths=PATHS, taken=taken))
    documents.feed(b'{"a": {"list": [')
    tracemalloc.start()
    for _ in range(100):
        documents.feed(b",".join([item] * 20) + b",")
    documents.feed(b'{}]}, "c": ')
    for _ in range(10):
        documents.feed(b"[" * 10_000)
    _, grown = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert listed == 2_001
    assert grown < 600_000, "of two megabytes of items and 100,000 open brackets"
