"""Structs out of JSON: strictly where that works, else member by member with the same result."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw, Struct, UnsetType, field
from msgspec.structs import asdict

from gembill.wire.json_text import fields, value
from gembill.wire.shape import Shape


class Inner(Struct, frozen=True):
    n: Any = None


class Outer(Struct, frozen=True):
    word: Any = None
    text: Raw = Raw()
    inner: Inner | None = None
    many: list[Inner] | None = None
    raws: list[Raw] | None = None
    there: Inner | UnsetType | None = UNSET
    other_name: Any = field(default=None, name="otherName")


OUTER = Shape(Outer, fields)
LENIENT = ', "x": NaN, "\\ud800": 1}'  # what no strict decoder takes


def read(**members: object) -> Outer | None:
    return OUTER.read(json.dumps(members).encode())


def read_leniently(**members: object) -> Outer | None:
    given = json.dumps(members)
    return OUTER.read((given[:-1] + (LENIENT if members else LENIENT[2:])).encode())


@pytest.mark.parametrize("reading", [read, read_leniently])
def test_members_become_what_they_are(reading):
    shown = reading(word="w", text={"a": 1}, inner={"n": 2}, many=[{"n": 3}, {}], raws=[4, {"b": 5}], otherName=6)
    assert (shown.word, shown.inner, shown.many, shown.other_name) == ("w", Inner(2), [Inner(3), Inner()], 6)
    assert (json.loads(bytes(shown.text)), [json.loads(bytes(raw)) for raw in shown.raws]) == ({"a": 1}, [4, {"b": 5}])


@pytest.mark.parametrize("reading", [read, read_leniently])
def test_what_is_absent_is_not_what_is_null(reading):
    assert reading() == Outer()
    assert reading(there=None).there is None
    assert reading(there={}).there == Inner()
    assert bytes(reading(text=None).text) == b"null"


@pytest.mark.parametrize("wrong", [5, "x", True, None, [5], {"n": [1]}])
@pytest.mark.parametrize("name", ["inner", "many", "there"])
def test_a_member_of_a_wrong_type_is_null_and_hides_no_other(name, wrong):
    shown = read(**{name: wrong}, word="w", text="kept", raws=[])
    assert (shown.word, bytes(shown.text), shown.raws) == ("w", b'"kept"', [])
    if name == "many":
        one = [Inner(n=[1])] if isinstance(wrong, dict) else None  # one object stands for a list of it
        assert shown.many == ([] if isinstance(wrong, list) else one)
    else:
        assert getattr(shown, name) == (Inner([1]) if isinstance(wrong, dict) else None)


def test_of_a_list_only_what_is_an_object_counts():
    assert read(many=[1, {"n": 1}, None, [{"n": 2}], {"n": {"a": 1}}]).many == [Inner(1), Inner({"a": 1})]


def test_one_object_stands_for_a_list_of_texts():
    assert [bytes(raw) for raw in read(raws={"a": 1}, word="w").raws] == [b'{"a": 1}']
    assert read(raws="x", word="w").raws is None


@pytest.mark.parametrize("text", [b"", b"[]", b"5", b"null", b'{"word": ', b"\xff", b"[" * 50_000])
def test_what_is_not_an_object_is_none(text):
    assert OUTER.read(text) is None


def test_depth_costs_the_deep_member_alone():
    deep = Shape(Outer, lambda text: fields(text, deep=True))
    shown = deep.read(b'{"inner": ' + b"[" * 50_000 + b"]" * 50_000 + b', "word": "w", "raws": [1]}')
    assert (shown.word, shown.inner, [bytes(raw) for raw in shown.raws]) == ("w", None, [b"1"])


_value = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["n", "x"]), inner, max_size=2),
    max_leaves=6,
)
_names = st.sampled_from(["word", "text", "inner", "many", "raws", "there", "otherName", "unknown"])


def plain(shown: Outer) -> dict[str, Any]:
    """The members of a struct, with its texts as values."""
    texts = {"text": value(shown.text), "raws": shown.raws and [value(raw) for raw in shown.raws]}
    return asdict(shown) | texts


@given(st.dictionaries(_names, _value, max_size=5))
def test_both_ways_of_reading_give_the_same(members):
    assert plain(read(**members)) == plain(read_leniently(**members))
