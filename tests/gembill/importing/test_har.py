"""Entries of HAR files."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.importing.har import read
from gembill.importing.member import RefusedLine
from gembill.importing.recorded import ImportDefaults, ImportedExchange

URL = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent?key=secret"
ANSWER = json.dumps({"usageMetadata": {"promptTokenCount": 3}})
SSE = f"data: {ANSWER}\r\n\r\n"


def entry(*, request=None, response=None, **changes) -> bytes:
    whole: dict = {
        "startedDateTime": "2026-11-21T12:00:00.250Z",
        "time": 1500.5,
        "request": {
            "method": "POST", "url": URL, "headers": [{"name": "X-Goog-Api-Key", "value": "other"}],
            "postData": {"mimeType": "application/json", "text": '{"contents": []}'},
        },
        "response": {
            "status": 200, "headers": [{"name": "Content-Encoding", "value": "gzip"}, {"name": "Date", "value": "x"}],
            "content": {"mimeType": "application/json", "text": ANSWER},
        },
    }  # fmt: skip
    for name, part in (("request", request), ("response", response)):
        whole[name] = whole[name] | part if isinstance(part, dict) else whole[name] if part is None else part
    return json.dumps(whole | changes).encode()


def read_changed(**changes) -> ImportedExchange:
    recorded = read(entry(**changes), ImportDefaults())
    assert recorded is not None
    return recorded


def test_an_entry_is_an_exchange():
    recorded = read_changed()
    assert (recorded.path, recorded.query, recorded.status) == (URL[41:-11], b"key=secret", 200)
    assert recorded.request_headers == [(b"x-goog-api-key", b"other")]
    assert (recorded.request, recorded.answer.decode()) == (b'{"contents": []}', ANSWER)
    assert recorded.response_headers == [(b"date", b"x")]
    assert recorded.ended_us == recorded.occurred_us + 1_500_500


@pytest.mark.parametrize(
    "content", [{"text": SSE}, {"text": base64.b64encode(SSE.encode()).decode(), "encoding": "base64"}]
)
def test_a_streamed_answer_is_text_or_base64(content):
    assert read_changed(response={"content": content}).answer == SSE.encode()


def test_an_answer_that_never_came_or_broke_off_is_recognised():
    assert read_changed(response={"status": 0, "content": {}}).status is None
    assert read_changed(response={"_error": "net::ERR_ABORTED"}).cut
    assert not read_changed(response={"_error": ""}).cut


@pytest.mark.parametrize("took", [-1, None, "x", 1e12, True])
def test_an_unknown_duration_is_none(took):
    assert read_changed(time=took).ended_us is None


@pytest.mark.parametrize(
    "request_part", [{"url": "wss://x/y"}, {"url": "https://example.org/index.html"}, {"method": "OPTIONS"}]
)
def test_other_traffic_of_the_browser_is_not_a_call(request_part):
    assert read(entry(request=request_part), ImportDefaults()) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"request": {"url": None}}, "its request has no url"),
        ({"request": {"url": {}}}, "url is an object"),
        ({"request": {"url": "https://[x"}}, "its address cannot be read"),
        ({"request": {"headers": {}}}, "headers is an object"),
        ({"request": {"postData": "x"}}, "postData is a text"),
        ({"response": {"status": "200"}}, 'status is "200"; it must be a number from 0'),
        ({"response": {"content": []}}, "content is a list"),
        ({"response": {"content": {"text": "%%%", "encoding": "base64"}}}, "base64"),
        ({"startedDateTime": "noon"}, "its time is 'noon'"),
        ({"startedDateTime": 5}, "startedDateTime is a number"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why(changes, why):
    with pytest.raises(RefusedLine, match=why):
        read(entry(**changes), ImportDefaults())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(("method", "url", "headers", "postData")), JSON, max_size=2),
    st.dictionaries(st.sampled_from(("status", "headers", "content", "_error")), JSON, max_size=2),
    st.dictionaries(st.sampled_from(("startedDateTime", "time", "request", "response")), JSON, max_size=1),
)
def test_whatever_is_in_an_entry_it_is_read_or_refused_in_a_short_clause(request, response, changes):
    try:
        read(entry(**{"request": request, "response": response} | changes), ImportDefaults(7))
    except RefusedLine as refused:
        assert str(refused).isprintable()  # noqa: PT017 - to be refused is one of the two right ends
        assert len(str(refused)) < 200  # noqa: PT017
