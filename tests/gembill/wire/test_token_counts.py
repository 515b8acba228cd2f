"""Reported numbers: integers of 0 to 2^53 or InvalidUsage, and nothing else is ever raised."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.model import Modality
from gembill.wire.token_counts import (
    LARGEST,
    InvalidUsage,
    Usage,
    count,
    counts,
    details,
    has_counts,
    named_details,
    parse,
)

NO_COUNTS = ["-1", "9007199254740993", "9223372036854775808", "1" + "0" * 30, "-" + "9" * 40, "9" * 5000, "1.5", "1.0", "1e3", "1e999", "-1e999", "NaN", "Infinity", '"12"', '""', "true", "false", "[]", "[1]", "{}"]  # fmt: skip
NO_OBJECTS = ["", " ", "null", "1", "[]", '"x"', "{", "{'a': 1}", '{"a": }', "[" * 100_000, '{"a":' * 100_000, "\ufeff{}", "\\xff"]  # fmt: skip


@pytest.mark.parametrize("number", NO_COUNTS, ids=lambda n: n[:12])
def test_a_number_that_is_not_a_count_is_named_when_it_is_taken(number):
    usage = parse('{"n": %s, "list": [{"modality": "TEXT", "tokenCount": %s}], "other": 1}' % (number, number))
    assert count(usage, "other") == 1
    with pytest.raises(InvalidUsage, match=r"^n is not an integer of 0 to 2\^53$"):
        count(usage, "n")
    with pytest.raises(InvalidUsage, match="list"):
        details(usage, "list")


@pytest.mark.parametrize("text", NO_OBJECTS, ids=lambda t: t[:12])
def test_what_is_not_an_object_is_invalid_usage(text):
    with pytest.raises(InvalidUsage):
        parse(text)


@pytest.mark.parametrize(("number", "read"), [("0", 0), ("-0", 0), ("12", 12), (str(LARGEST), LARGEST), ("null", None)])
def test_counts_are_read_as_they_are(number, read):
    assert count(parse('{"n": %s}' % number), "n") == read


def test_counts_are_read_together_as_each_alone():
    usage = parse('{"a": 1, "b": null, "c": %d}' % LARGEST)
    assert counts(usage, ("c", "a", "b", "d")) == [LARGEST, 1, None, None]


@pytest.mark.parametrize("number", ["-1", "1.0", "true", '"1"', "[]", str(LARGEST + 1)])
def test_of_counts_read_together_the_one_that_is_none_is_named(number):
    with pytest.raises(InvalidUsage, match="b is not an integer"):
        counts(parse('{"a": 1, "b": %s}' % number), ("a", "b"))


def test_an_absent_count_is_not_reported_and_not_zero():
    assert count(parse("{}"), "n") is None
    assert count(parse('{"n": 1, "n": 2}'), "n") == 2


@given(st.text(max_size=80) | st.from_type(dict).map(str))
def test_no_text_raises_anything_but_invalid_usage(text):
    try:
        usage = parse(text)
    except InvalidUsage:
        return
    assert isinstance(usage, dict)


_anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["modality", "tokenCount"]), inner, max_size=2)
    ),
    max_leaves=10,
)


@given(_anything)
def test_details_are_counts_by_modality_or_invalid_usage(entries):
    usage = parse(json.dumps({"list": entries}))
    try:
        read = details(usage, "list")
    except InvalidUsage:
        return
    assert all(isinstance(m, Modality) and type(n) is int and 0 <= n <= LARGEST for m, n in read.items())


def test_details_of_one_modality_add_up_but_not_beyond_what_is_believed():
    entry = {"modality": "AUDIO", "tokenCount": 5}
    assert details({"list": [entry, entry]}, "list") == {Modality.AUDIO: 10}
    with pytest.raises(InvalidUsage):
        details({"list": [{"tokenCount": LARGEST}, {"tokenCount": 1}]}, "list")


@pytest.mark.parametrize(
    ("word", "modality"),
    [
        ("TEXT", Modality.TEXT), ("text", Modality.TEXT), ("IMAGE", Modality.IMAGE), ("VIDEO", Modality.VIDEO),
        ("AUDIO", Modality.AUDIO), ("DOCUMENT", Modality.DOCUMENT), ("MODALITY_UNSPECIFIED", Modality.TEXT), (None, Modality.TEXT),
        ("HOLOGRAM", Modality.OTHER), (0, Modality.TEXT), (1, Modality.TEXT), (2, Modality.IMAGE), (3, Modality.VIDEO),
        (4, Modality.AUDIO), (5, Modality.DOCUMENT), (6, Modality.OTHER), (-1, Modality.OTHER), ([], Modality.TEXT),
    ],
)  # fmt: skip
def test_a_modality_comes_as_a_word_or_an_integer(word, modality):
    assert details({"list": [{"modality": word, "tokenCount": 3}]}, "list") == {modality: 3}


@pytest.mark.parametrize(
    "entries", [None, "x", 5, {}, {"modality": "TEXT"}, [], [None, 5, "x", []], [{"modality": "TEXT"}]]
)
def test_details_that_say_nothing_are_tolerated(entries):
    assert sum(details({"list": entries}, "list").values()) == 0


def test_an_entry_may_name_its_quantity_otherwise():
    assert details({"list": [{"modality": "TEXT", "tokens": 9}]}, "list", "tokens") == {Modality.TEXT: 9}


@pytest.mark.parametrize(
    ("named", "total", "kinds"),
    [
        ({}, 9, {}),
        ({"cached_tokens": 4, "audio_tokens": 0, "image_tokens": None}, 9, {}),
        ({"audio_tokens": 4}, 9, {Modality.AUDIO: 4, Modality.TEXT: 5}),
        ({"audio_tokens": 4, "image_tokens": 6}, 9, {Modality.AUDIO: 4, Modality.IMAGE: 6, Modality.TEXT: 0}),
        ({"image_tokens": 4}, None, {Modality.IMAGE: 4, Modality.TEXT: 0}),
    ],
)
def test_details_that_name_kinds_leave_the_rest_of_the_count_to_text(named, total, kinds):
    assert named_details(named, total) == kinds


def test_usage_is_empty_only_without_any_count():
    assert Usage().is_empty
    assert Usage(cached=4, service_tier="flex", prompt_details={Modality.TEXT: 4}).is_empty
    assert not Usage(total=0).is_empty
    assert not Usage(thoughts=67).is_empty


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ('{"promptTokenCount": 5}', True), ('{"total_tokens":0}', True), ('{"a": {"reasoning_tokens" : 5}}', True), ('{"totalTokenCount": "x"}', True),
        ('{"promptTokenCount":  null, "trafficType": "ON_DEMAND"}', False), ('{"trafficType": 1}', False), ("{}", False),
        ('{"extra_properties": {"google": {"traffic_type": "ON_DEMAND"}}}', False),
    ],
)  # fmt: skip
def test_a_usage_may_have_no_counts(text, counts):
    assert has_counts(text.encode()) is counts
