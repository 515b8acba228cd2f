"""JSON from outside: read where it can be, None where it cannot, an exception never."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.wire.json_text import (
    elided,
    fields,
    integer,
    is_elided,
    items,
    lenient_fields,
    mapping,
    mappings,
    mappings_or_one,
    size,
    value,
    whole,
    word,
)

HOSTILE = [
    b"", b" ", b"{", b"}", b"[]", b"1", b"null", b'"text"', b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"9" * 5000,
    b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b'{"a": NaN}', b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}", b'{"a": "\\ud83d"}', b'{"\\udc00": 1}', b'{"a": "\xff\xfe"}', b'{"\xff": 1}', b"\xff\xfe{\x00}\x00",
    b'{"a": 1, "a": 2}', b'{"a": 1,}', b"{'a': 1}", b'{"a": 01}', b'{"a": "\x01"}', b'{"a": "\\x"}', b'{"a": NaN, "b": ' + b"9" * 5000 + b"}",
    b'{"a": NaN, "b": ' + b"[" * 900 + b"]" * 900 + b"}",
]  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: repr(t[:20]))
def test_hostile_json_raises_nothing(text):
    assert isinstance(fields(text), dict | None)
    assert isinstance(items(text), list | None)
    value(text)
    for inner in (fields(text) or {}).values():
        value(inner)


@given(st.binary(max_size=60) | _json.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_raise_nothing(text):
    fields(text), items(text), value(text)


@given(st.dictionaries(st.text(st.characters(), max_size=4), _json, max_size=4))
def test_whatever_the_standard_library_writes_is_read_back(given):
    read = {name: value(inner) for name, inner in (fields(json.dumps(given).encode()) or {}).items()}
    assert json.dumps(read, sort_keys=True) == json.dumps(given, sort_keys=True)


@given(st.lists(_json, max_size=4))
def test_the_items_of_a_list_stay_texts_of_their_values(given):
    read = [value(inner) for inner in items(json.dumps(given).encode()) or []]
    assert json.dumps(read, sort_keys=True) == json.dumps(given, sort_keys=True)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\ud83d"}', {"a": "\ud83d"}),
        (b'{"a": "x\xff"}', {"a": "x\ufffd"}),
        (b'{"a": [1, NaN]}', None),
        (b" \n {} ", {}),
    ],
)
def test_what_strict_decoders_refuse_is_still_read(text, given):
    read = {name: value(inner) for name, inner in (fields(text) or {}).items()}
    if given is None:
        assert read["a"][0] == 1
        assert read["a"][1] != read["a"][1]
    else:
        assert read == given


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"{}"', b"", b'{"a": 1'])
def test_what_is_not_an_object_has_no_fields(text):
    assert fields(text) is None


def test_fields_and_items_tell_objects_from_lists():
    assert items(b'{"a": 1}') is None
    assert [bytes(raw) for raw in items(b'[{"a": 1}, 2]') or []] == [b'{"a": 1}', b"2"]
    assert value(None) is None
    assert value(msgspec.Raw(b"[1]")) == [1]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("gemini", "gemini"), ("", None), (None, None), (True, None), (1.5, None), (float("nan"), None), ([], None), ({}, None),
        (7, "7"), (0, "0"), (-1, "-1"), ("a\0b", "ab"), ("\0", None), ("\0\0ab", "ab"), ("x\ud800y", "x?y"), ("x" * 300, "x" * 256),
        ("\0" * 300 + "tail", "tail"), (10**25, str(10**25)), ("zero\u200bwidth \u202e", "zero\u200bwidth \u202e"),
    ],
)  # fmt: skip
def test_a_word_is_short_and_fit_for_any_database(given, kept):
    assert word(given) == kept


@given(st.text(st.characters(), max_size=40), st.integers(1, 20))
def test_words_always_encode_and_never_exceed_their_limit(text, limit):
    given = word(text, limit)
    if given is not None:
        assert 0 < len(given) <= limit
        assert "\0" not in given
        assert given.encode().decode() == given


@pytest.mark.parametrize(("given", "kept"), [(5, 5), (0, 0), (-3, -3), (True, None), (1.0, None), ("1", None), (2**63, None), (10**30, None), (None, None)])  # fmt: skip
def test_an_integer_is_whole_and_fits_64_bits(given, kept):
    assert integer(given) is kept or integer(given) == kept


def test_an_elided_string_remembers_its_size():
    assert size(elided(70_000, "0123456789abcdef").decode()) == 70_000
    assert size("four") == 4
    assert size("elided:12:nothex") == len("elided:12:nothex")
    assert size(None) == size(5) == size(["x"]) == 0
    assert is_elided(elided(70_000, "0123456789abcdef").decode())
    assert not is_elided("elided:12:nothex")
    assert not is_elided("four")


def test_mappings_leave_out_what_is_none():
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping([1]) == mapping(None) == mapping("x") == {}
    assert mappings([{"a": 1}, 5, None, [], {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert mappings({"a": 1}) == mappings(None) == mappings("x") == []


DEPTH = 50_000  # no Python reads so deep; how deep one does differs from version to version


@pytest.mark.parametrize("deep", [b"[" * DEPTH + b"]" * DEPTH, b'{"a":' * DEPTH + b'"}]{["' + b"}" * DEPTH])
def test_a_member_nested_too_deep_does_not_hide_the_others(deep):
    given = fields(b' {"deep": ' + deep + b', "usage": {"n": "a,]}\\"b"} , "last":1} ', deep=True)
    assert given is not None
    assert {name: bytes(raw) for name, raw in given.items()} == {
        "deep": deep,
        "usage": b'{"n": "a,]}\\"b"}',
        "last": b"1",
    }
    assert fields(b'{"deep": ' + deep + b', "usage": {', deep=True) is None
    assert fields(b'[{"deep": ' + deep + b"}]", deep=True) is None
    assert fields(b'{"deep": ' + deep + b"}") is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": [1, 2,], "b": {"c": "x, ]",},}',
        b"{'a': [1, 2], 'b': {'c': 'x, ]'}}",
        b'{a: [1, 2], b: {c : "x, ]"}}',
        b'{"a": [1, 2], "b": {"c": "x, ]"}}',
    ],
)
def test_a_request_is_read_as_leniently_as_google_reads_it(text):
    members = lenient_fields(text)
    assert members is not None
    assert {name: value(inner) for name, inner in members.items()} == {"a": [1, 2], "b": {"c": "x, ]"}}


def test_quotes_within_single_quotes_keep_their_meaning():
    members = lenient_fields(rb"""{'a': 'it\'s "so"', 'n': null,}""") or {}
    assert {name: value(inner) for name, inner in members.items()} == {"a": 'it\'s "so"', "n": None}


@pytest.mark.parametrize("text", [None, b"", b"[1]", b'{"a": 1', b'{"a" 1}', b"{,}x", b'{"a": "\\', b"a" * 1000])
def test_what_is_not_an_object_stays_unread(text):
    assert lenient_fields(text) is None


@pytest.mark.parametrize("piece", [b"a", b'"', b'\\"', b"'", b",", b", ", b" ", b"{", b"a :", b"\\"])
def test_no_text_is_read_more_than_once(piece):
    """Looked at from every place in it, a text of this length would take hours; the suite's time-out ends such a test."""
    lenient_fields(b'{"a": ' + piece * 300_000)
    lenient_fields(b"{'" + piece * 300_000)


@given(
    st.dictionaries(
        st.text(max_size=5), st.recursive(st.none() | st.integers() | st.text(max_size=8), st.lists), max_size=4
    )
)
def test_strict_json_is_left_as_it_is(value):
    text = json.dumps(value).encode()
    assert lenient_fields(text) == fields(text)


@pytest.mark.parametrize(
    ("said", "count"),
    [(7, 7), ("7", 7), (7.0, 7), (0, 0), (10, 10), (11, None), ("11", None), (-1, None), (7.5, None), (True, None), ("x", None), ("٣", None), (None, None)],
)  # fmt: skip
def test_a_whole_number_may_come_as_text_or_as_a_float(said, count):
    assert whole(said, 10) == count


@pytest.mark.parametrize(
    ("given", "objects"),
    [({"a": 1}, [{"a": 1}]), ([{"a": 1}, 2], [{"a": 1}]), ({}, [{}]), ("x", []), (None, [])],
)
def test_one_object_of_a_request_stands_for_a_list_of_one(given, objects):
    assert mappings_or_one(given) == objects
