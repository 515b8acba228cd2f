"""Members of strangers' objects: typed, or refused in a clause."""

import pytest

from gembill.importing.member import RefusedLine, entries, inner, members_of, shown, status, text

DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a": "\xff"}', "it is not UTF-8 (byte 8)"),
        (b"{", "it is not JSON (expecting property name enclosed in double quotes, character 2)"),
        (b"", "it is not JSON (expecting value, character 1)"),
        (b"[1]", "it is JSON but not an object"),
        (b"null", "it is JSON but not an object"),
        (b'{"a": "x\0"}', "it is not JSON (invalid control character at, character 9)"),
        (DEEP, "it is nested too deeply to be read"),
    ],
    ids=["not UTF-8", "broken off", "empty", "a list", "null", "NUL", "deep"],
)
def test_what_is_not_an_object_is_refused_in_a_clause(line, why):
    with pytest.raises(RefusedLine) as refused:
        members_of(line)
    assert str(refused.value) == why


@pytest.mark.parametrize("line", [b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": 1e999}', b'{"a": %s}' % (b"9" * 5000)])
def test_odd_but_readable_json_is_read(line):
    assert list(members_of(line)) == ["a"]


def test_members_come_with_their_type():
    entry = members_of(b'{"t": "x", "n": null, "o": {"k": 1}, "l": [1, 2], "s": 200}')
    assert (text(entry, "t"), text(entry, "n"), text(entry, "missing")) == ("x", None, None)
    assert (list(inner(entry, "o")), inner(entry, "n"), inner(entry, "missing")) == (["k"], {}, {})
    assert (len(entries(entry, "l") or []), entries(entry, "n")) == (2, None)
    assert status(entry, "s") == 200


TAKES = {"a text": (text, b'"x"'), "an object": (inner, b"{}"), "a list": (entries, b"[]")}


@pytest.mark.parametrize("kind", TAKES)
@pytest.mark.parametrize("value", [b'"x"', b"1", b"1.5", b"true", b"[]", b"{}"])
def test_a_member_of_another_type_is_named_with_both_types(value, kind):
    take, right = TAKES[kind]
    entry = members_of(b'{"a": %s}' % value)
    if value == right:
        assert take(entry, "a") is not None
        return
    with pytest.raises(RefusedLine, match=rf"^a is .*; it must be {kind}$"):
        take(entry, "a")


@pytest.mark.parametrize(
    "line",
    [b"{}", b'{"status": null}', b'{"status": "200"}', b'{"status": 99}', b'{"status": 600}', b'{"status": true}'],
)
def test_a_status_is_a_number_of_http(line):
    with pytest.raises(RefusedLine, match=r"^status (is|is missing).*; it must be a number from 100 to 599$"):
        status(members_of(line))


def test_what_is_shown_of_a_file_is_short_and_cannot_move_a_terminal():
    assert shown("\x1b[31mred\n" + "x" * 100) == "\\x1b[31mred\\n" + "x" * 51 + "..."
    assert shown("\ud800") == "\\ud800"
    assert shown(12) == "12"
