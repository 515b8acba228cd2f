"""Lines of our own format and cases of a corpus."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.importing.line import read
from gembill.importing.member import RefusedLine
from gembill.importing.recorded import ImportDefaults, ImportedExchange
from gembill.model import Operation

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
ANSWER = {"usageMetadata": {"promptTokenCount": 3}}


def line(**changes) -> bytes:
    whole = {"path": PATH, "status": 200, "response": ANSWER, "occurred_at": "2026-11-21T12:00:00Z"} | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def read_changed(**changes) -> ImportedExchange:
    recorded = read(line(**changes), ImportDefaults())
    assert recorded is not None
    return recorded


def test_a_line_of_the_least_keys_is_an_exchange():
    recorded = read_changed()
    assert (recorded.method, recorded.path, recorded.status, recorded.request) == ("POST", PATH, 200, b"")
    assert (recorded.route.model, recorded.route.streamed) == ("gemini-2.5-flash", False)
    assert json.loads(recorded.answer) == ANSWER


def test_bodies_are_passed_on_as_they_stand():
    odd = b'{"path": "%s", "status": 200, "occurred_at": "2026-11-21", "response": {"n": 1e999, "m": 1.50}}'
    recorded = read(odd % PATH.encode(), ImportDefaults())
    assert recorded is not None
    assert recorded.answer == b'{"n": 1e999, "m": 1.50}'


def test_chunks_become_the_events_they_were():
    chunks = [{"event": "x", "data": {"a": 1}}, {"data": '{"b":\n2}'}, {"data": "[DONE]"}]
    assert (
        read_changed(response=..., chunks=chunks).answer
        == b'data: {"a": 1}\n\ndata: {"b":\ndata: 2}\n\ndata: [DONE]\n\n'
    )


def test_an_answer_that_an_sdk_wrote_is_read_as_it_was_sent():
    dumped, sent = {"usage_metadata": {"prompt_token_count": 3}}, b'{"usageMetadata":{"promptTokenCount":3}}'
    assert read_changed(response=dumped).answer == sent
    assert read_changed(response=json.dumps(dumped)).answer == sent
    assert read_changed(response=..., chunks=[{"data": dumped}]).answer == b"data: " + sent + b"\n\n"


def test_headers_that_an_sdk_kept_count_where_the_line_has_none():
    kept = {"sdk_http_response": {"headers": {"X-Gemini-Service-Tier": "flex"}}, "model_version": "m"}
    tier = [(b"x-gemini-service-tier", b"flex")]
    assert read_changed(response=kept).response_headers == tier
    assert read_changed(response=..., chunks=[{"data": kept}, {"data": {}}]).response_headers == tier
    assert read_changed(response=kept, response_headers={"a": "b"}).response_headers == [(b"a", b"b")]
    assert read_changed(response=..., chunks=[]).response_headers == []


def test_a_body_may_be_a_text_or_null():
    assert read_changed(response="<html>").answer == b"<html>"
    assert read_changed(response=None, status=503).answer == b""
    assert read_changed(request={"contents": []}).request == b'{"contents": []}'


def test_headers_labels_and_a_key_in_the_path_are_taken():
    recorded = read_changed(
        path=f"https://example.org{PATH}?key=secret",
        response_headers={"X-Gemini-Service-Tier": "flex", "Content-Encoding": "gzip", "vary": ["a", "b"]},
        labels={"team": "a"},
    )
    assert recorded.response_headers == [(b"x-gemini-service-tier", b"flex"), (b"vary", b"a"), (b"vary", b"b")]
    assert (recorded.request_headers, recorded.query) == ([(b"x-gembill-label-team", b"a")], b"key=secret")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/v1beta/models/m:countTokens", "POST"),
        ("/v1beta/models", "GET"),
        ("/v1beta/cachedContents/c", "GET"),
        ("/v1beta/fileSearchStores/s", "PATCH"),
        (PATH, "GET"),
        ("/healthz", "POST"),
    ],
)
def test_what_is_not_a_call_is_none_whatever_else_it_lacks(path, method):
    assert read(line(path=path, method=method, status=..., occurred_at=...), ImportDefaults()) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"path": ...}, "it has no path"),
        ({"path": 7}, "path is a number; it must be a text"),
        ({"method": []}, "method is a list"),
        ({"status": ...}, "status is missing"),
        ({"response": ...}, "it has neither response nor chunks"),
        ({"chunks": [{"data": {}}]}, "it has both response and chunks"),
        ({"response": ..., "chunks": "x"}, "chunks is a text"),
        ({"response": ..., "chunks": [{"data": {}}, {}]}, "chunk 2 has no data"),
        ({"response": ..., "chunks": [3]}, "chunk 1 has no data"),
        ({"response_headers": "x"}, "response_headers is a text"),
        ({"labels": ["a"]}, "labels is a list"),
        ({"labels": {"a": {}}}, "label 'a' is not a text"),
        ({"occurred_at": 1732190400}, "occurred_at is a number"),
        ({"occurred_at": "soon"}, "its time is 'soon'"),
        ({"occurred_at": ...}, "it does not say when"),
        ({"occurred_at": ..., "source": "x"}, "source is a text"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(changes, why):
    with pytest.raises(RefusedLine, match=why):
        read(line(**changes), ImportDefaults())


def test_a_case_of_a_corpus_is_read_with_the_time_of_its_recording():
    recorded = read_changed(occurred_at=..., surface="generateContent", source={"recorded_at": "2026-11-21T12:00:00Z"})
    assert recorded.occurred_us == read_changed().occurred_us


def test_a_case_without_a_path_is_the_call_its_surface_names():
    recorded = read_changed(path=..., surface="streamGenerateContent", response=..., chunks=[])
    assert (recorded.route.streamed, recorded.route.model, recorded.path) == (True, None, "")
    assert read_changed(path=..., surface="generateContent").route.operation is Operation.GENERATE_CONTENT
    for surface in ("live", "countTokens", "cachedContents"):
        assert read(line(path=..., surface=surface), ImportDefaults()) is None
    with pytest.raises(RefusedLine, match="it has no path"):
        read(line(path=..., surface="error"), ImportDefaults())


def test_a_time_that_is_assumed_fills_what_is_missing():
    recorded = read(line(occurred_at=...), ImportDefaults(7))
    assert recorded is not None
    assert recorded.occurred_us == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("path", "method", "status", "request", "response", "chunks", "response_headers", "occurred_at", "labels",
        "source", "surface")  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_whatever_is_in_a_line_it_is_read_or_refused_in_a_short_clause(changes):
    try:
        read(line(**changes), ImportDefaults(7))
    except RefusedLine as refused:
        assert str(refused).isprintable()  # noqa: PT017 - to be refused is one of the two right ends
        assert len(str(refused)) < 200  # noqa: PT017
