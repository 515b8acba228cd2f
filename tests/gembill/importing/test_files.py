"""Files told apart by content, and cut into items within bounded memory."""

import io
import json
import tracemalloc

import pytest

from gembill.importing import files, har, line
from gembill.importing.files import ImportItem, items
from gembill.importing.member import RefusedLine
from gembill.importing.recorded import ImportDefaults

CALL = {"path": "/v1beta/models/m:generateContent", "status": 200, "response": {}}
HAR = {"log": {"version": "1.2", "entries": [{"request": {}}, {"response": {}}]}}


def cut(content: bytes) -> list[ImportItem]:
    return list(items("f", io.BytesIO(content), lambda _: None))


def places(content: bytes) -> list[str]:
    return [item.place for item in cut(content)]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n  \n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_are_items_with_their_number_and_blank_ones_none(end, mark):
    text = json.dumps(CALL).encode()
    read_items = cut(mark + text + b"\n\n" + text + end)
    assert [item.place for item in read_items] == ["f, line 1", "f, line 3"]
    assert all(item.reader is line.read and json.loads(item.text) == CALL for item in read_items)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_har_file_is_its_entries(indent):
    read_items = cut(json.dumps(HAR, indent=indent).encode())
    assert [item.place for item in read_items] == ["f, entry 1", "f, entry 2"]
    assert all(item.reader is har.read for item in read_items)
    assert json.loads(read_items[1].text) == {"response": {}}


def test_a_har_file_may_hold_no_entry():
    assert cut(b'{"log": {"entries": []}}') == []


def test_an_object_over_several_lines_is_one_item():
    (item,) = cut(json.dumps(CALL, indent=2).encode())
    assert (item.place, json.loads(item.text)) == ("f", CALL)


def test_a_bad_first_line_does_not_hide_the_rest():
    good = json.dumps(CALL).encode()
    for bad in (b"nonsense", b'{"path": {"x', b"\x00\xff", b"[", b'{"a": {"log": {"entries": ['):
        assert places(bad + b"\n" + good) == ["f, line 1", "f, line 2"]
        assert json.loads(cut(bad + b"\n" + good)[1].text) == CALL


def test_an_object_over_several_lines_that_breaks_off_is_read_by_line():
    assert places(b'{\n"path": 1,\n') == ["f, line 1", "f, line 2"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"log": {"entries": [', "it begins like a HAR file, but it is not JSON"),
        (b'{"log": {"version": "1.2"}}', "it begins like a HAR file, but its log has no entries"),
        (b'{"log": {"entries": {}}}', "it begins like a HAR file, but entries is an object; it must be a list"),
    ],
)
def test_a_har_file_that_cannot_be_read_is_one_refusal(content, why):
    (item,) = cut(content)
    with pytest.raises(RefusedLine, match=why):
        item.read(ImportDefaults())


def test_an_empty_file_has_no_items():
    assert cut(b"") == cut(b"\n \n") == []


def test_a_line_over_the_limit_is_refused_in_bounded_memory_and_the_rest_goes_on(monkeypatch):
    monkeypatch.setattr(files, "LINE_LIMIT", 1 << 20)
    good = json.dumps(CALL).encode()
    content = io.BytesIO(b'{"x": "' + b"y" * (40 << 20) + b'"}\n' + good)
    tracemalloc.start()
    read_items = list(items("f", content, lambda _: None))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(item.place, item.trouble) for item in read_items] == [
        ("f, line 1", "it has more than 1 MiB"),
        ("f, line 2", None),
    ]
    assert json.loads(read_items[1].text) == CALL
    assert peak < 6 << 20


def test_a_document_over_the_limit_is_refused_or_read_by_line(monkeypatch):
    monkeypatch.setattr(files, "DOCUMENT_LIMIT", 1 << 20)
    (item,) = cut(b'{"log": {"entries": [' + b" " * (2 << 20) + b"]}}")
    assert item.trouble == "it is a HAR file of more than 1 MiB; save it in parts"
    assert len(cut(b'{\n"a":\n' + b" " * (2 << 20) + b"\n1}")) == 3


def test_a_file_that_breaks_off_in_reading_says_so_after_what_was_read():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            return super().read(size) or self.fail()

        def fail(self):
            raise OSError(5, "Input/output error")

    read_items = list(items("f", Broken(json.dumps(CALL).encode() + b"\n"), lambda _: None))
    assert [item.trouble for item in read_items] == [None, "it cannot be read any further: Input/output error"]


def test_progress_counts_every_byte():
    told: list[int] = []
    content = b"x\n" * 400_000
    list(items("f", io.BytesIO(content), told.append))
    assert sum(told) == len(content)
    assert len(told) > 1
