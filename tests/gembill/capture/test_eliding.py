"""What is kept of a document: bounded, the same in any cut, JSON, and with what comes behind a list that was cut."""

import json
import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.capture import eliding
from gembill.capture.documents import Documents
from gembill.capture.eliding import LONG, Bounds, Elider
from gembill.capture.slices import PLAIN
from gembill.event import UnreadReason

SMALL = Bounds(size=400, containers=20, quotes=60, more=120)
ANYTHING = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(alphabet='ab"\\\\[]{},\u20ac', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=12) | st.dictionaries(st.text(alphabet="ab[]{\\\\", max_size=3), inner, max_size=4)
    ),
    max_leaves=60,
)


def read(body: bytes, cuts: list[int], bounds: Bounds | None = SMALL) -> tuple[list[bytes], UnreadReason | None]:
    documents = Documents(bounds=bounds)
    whole: list[bytes] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(body)], strict=True):
        whole += documents.feed(body[start:end])
    whole += documents.close()
    return whole, documents.shortened


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document is looked at for what may be left out, however short."""
    monkeypatch.setattr("gembill.capture.documents.LONG", 0)


@given(st.dictionaries(st.text(alphabet="abc", max_size=3), ANYTHING, min_size=1), st.lists(st.integers(0, 2_000)))
def test_an_object_is_kept_the_same_in_any_cut_and_stays_json(said: dict[str, Any], cuts: list[int]) -> None:
    body = json.dumps(said).encode()
    cuts = [cut for cut in cuts if cut < len(body)]
    once = read(body, [])
    assert read(body, cuts) == read(body, list(range(1, len(body)))) == once
    kept, shortened = once
    assert shortened is UnreadReason.TOO_LARGE or list(json.loads(kept[0])) == list(said)
    if shortened is None:
        assert kept == [body]
    else:
        assert sum(map(len, kept)) <= SMALL.size + SMALL.more + LONG


@given(st.lists(st.dictionaries(st.just("a"), ANYTHING), min_size=1, max_size=6), st.lists(st.integers(0, 2_000)))
def test_the_elements_of_a_list_are_kept_each_for_itself(said: list[Any], cuts: list[int]) -> None:
    body = json.dumps(said).encode()
    cuts = [cut for cut in cuts if cut < len(body)]
    kept, shortened = read(body, cuts)
    assert (kept, shortened) == read(body, []) == read(body, list(range(1, len(body))))
    first = read(json.dumps(said[:1]).encode(), [])[0]
    others = [read(json.dumps([{}, element]).encode(), [])[0] for element in said[1:]]  # what parts them counts too
    assert kept == [*first, *(text for texts in others for text in texts[1:])]


def test_an_element_that_is_too_long_behind_a_list_that_was_cut_hides_no_other() -> None:
    long = [{str(n): [None] * 5} for n in range(30)]  # a cut within an object of a list
    kept, shortened = read(json.dumps([{"a": {"list": long, "more": "x" * 200}}, {"usage": 1}]).encode(), [])
    assert (kept, shortened) == ([b'{"usage": 1}'], UnreadReason.TOO_LARGE)


def answer(part: str, count: int) -> bytes:
    parts = ",".join([part] * count)
    return (
        f'{{"candidates": [{{"content": {{"parts": [{parts}]}}}}], "usageMetadata": {{"totalTokenCount": 7}}}}'.encode()
    )


@pytest.mark.parametrize("part", ['{"text": "a"}', "{}", '"a\\"[[[{"', "[[[[]]]]", "1.5", '{"a": {"b": [1, "]"]}}'])
def test_what_comes_behind_a_list_that_is_cut_is_kept(part: str) -> None:
    kept, shortened = read(answer(part, 3_000), list(range(7, 30_000, 7))[:2_000])
    said = json.loads(kept[0])
    assert said["usageMetadata"] == {"totalTokenCount": 7}
    assert shortened is UnreadReason.TOO_MANY_PARTS
    assert len(kept[0]) < SMALL.size + SMALL.more


def test_of_a_list_everything_whole_before_the_bound_is_kept() -> None:
    body = b'{"steps": [' + b",".join([b'{"n": 1}'] * 30) + b'], "usage": 1}'
    kept, _ = read(body, [])
    assert json.loads(kept[0]) == {"steps": [{"n": 1}] * (SMALL.containers - 2), "usage": 1}


def test_brackets_and_quotes_within_texts_are_no_reason_to_cut() -> None:
    body = b'{"a": ["' + b"[{" * 60 + b'"], "b": "' + b'\\"' * 60 + b'", "c": 1}'
    assert read(body, list(range(1, len(body)))) == ([body], None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": {' + b",".join(b'"%d": {}' % n for n in range(300)) + b"}}",
        b'{"a": [' + b"{}," * 300 + b'{}], "b": {' + b",".join(b'"%d": 1' % n for n in range(300)) + b"}}",
        b"{" + b"x" * 5_000,
        b'{"a":' + b'{"a":' * 2_000,
    ],
)
def test_what_has_no_list_to_cut_or_too_much_behind_it_is_lost_and_said(body: bytes) -> None:
    assert read(body, list(range(50, len(body), 50))) == ([], UnreadReason.TOO_LARGE)


def test_an_element_that_is_lost_costs_no_other() -> None:
    lost = b'{"a": {' + b",".join(b'"%d": 1' % n for n in range(300)) + b"}}"
    kept, shortened = read(b'[{"n": 1}, ' + lost + b', {"n": 2}]', list(range(1, 1_000, 3)))
    assert [json.loads(text) for text in kept] == [{"n": 1}, {"n": 2}]
    assert shortened is UnreadReason.TOO_LARGE


def test_without_bounds_nothing_is_left_out() -> None:
    body = answer('{"text": "a"}', 5_000)
    assert read(body, [100, 5_000], bounds=None) == ([body], None)


@pytest.mark.parametrize("far", [0, 255, 256, 257, 1024, 16_639, 16_640, 16_641, 17_408, 3 * LONG])
@pytest.mark.parametrize("ends", [b'"x"', b'\\"', b"", b'x\\"'])
def test_the_end_of_a_string_is_found_however_far_it_is(far, ends):
    data = b'"' + b"a" * far + ends
    first = min((at for byte in b'"\\' if (at := data.find(byte, 1)) >= 0), default=len(data))
    assert eliding.string_end(data, 1) == first


class Piece(bytes):
    """A piece of a body that knows what was counted in pieces, byte by byte."""

    counted = 0

    def count(self, *sought: Any) -> int:
        Piece.counted += len(self)
        return super().count(*sought)


def test_a_long_string_costs_few_functions_a_piece_and_nothing_in_it_is_counted() -> None:
    elider, calls = Elider(Bounds(), lambda _: None), 0
    elider.feed(b'{"contents": [{"parts": [{"inlineData": {"data": "' + b"A" * 2 * LONG)
    pieces = [Piece(b"A" * PLAIN) for _ in range(64)]

    def note(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    for piece in pieces:
        elider.feed(piece)
    sys.setprofile(None)
    passed = [elider.passes_over(Piece(piece + end)) for piece in pieces for end in (b"", b'"', b"\\n")]
    assert passed == [True, False, False] * len(pieces)
    elider.feed(b'"}}]}]}')
    assert Piece.counted == 0
    assert calls // len(pieces) <= 19
    data = json.loads(elider.take() or b"")["contents"][0]["parts"][0]["inlineData"]["data"]
    assert len(data) < 100
