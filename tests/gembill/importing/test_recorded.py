"""The identity and the time of a recorded exchange, and what every format shares."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gembill.capture.attribution import MAX_LABELS, MAX_NAME, MAX_VALUE, caller_of
from gembill.capture.documents import LONG
from gembill.event import Event, RequestFacts
from gembill.importing.member import RefusedLine
from gembill.importing.recorded import ImportDefaults, ImportedExchange, decoded, header, labelled, occurred_us, target
from gembill.wire.routes import route

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
ANSWER = {"usageMetadata": {"promptTokenCount": 1}, "candidates": [{"index": 0}]}
NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * 1_000_000
ONE = int(datetime(2026, 11, 21, 13, tzinfo=UTC).timestamp()) * 1_000_000
TWO = int(datetime(2026, 11, 21, 14, tzinfo=UTC).timestamp()) * 1_000_000
DATE = [(b"date", b"Sat, 21 Nov 2026 14:00:00 GMT")]


def recorded(**changes) -> ImportedExchange:
    way = route("POST", PATH)
    assert way is not None
    return replace(
        ImportedExchange(
            route=way, method="POST", path=PATH, query=b"key=a-secret-key", occurred_us=1, request_headers=[],
            request=b'{"contents": []}', status=200, response_headers=[], answer=json.dumps(ANSWER).encode(),
        ),
        **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    "same",
    [
        {"answer": json.dumps(dict(reversed(ANSWER.items())), indent=2).encode()},
        {"answer": b"data: " + json.dumps(ANSWER).encode() + b"\r\n\r\n"},
        {"answer": b"[" + json.dumps(ANSWER).encode() + b"\n]"},
        {"request": b'{ "contents":[] }'},
        {"query": b""},
        {"request_headers": [(b"x-gembill-label-team", b"a")]},
        {"response_headers": [(b"date", b"now")]},
        {"ended_us": 5},
    ],
    ids=["order and spacing", "event", "array", "request", "key", "label", "header", "duration"],
)
def test_the_same_exchange_has_the_same_identity_however_a_file_tells_it(same):
    assert recorded(**same).identity == recorded().identity


@pytest.mark.parametrize(
    "other",
    [
        {"occurred_us": 2},
        {"method": "GET"},
        {"path": PATH + "x"},
        {"status": 500},
        {"status": None},
        {"request": b'{"contents": [1]}'},
        {"answer": b'{"usageMetadata": {"promptTokenCount": 2}}'},
        {"answer": b"<html>"},
        {"answer": b""},
        {"request": json.dumps(ANSWER).encode(), "answer": b'{"contents": []}'},
        {"answer": json.dumps(ANSWER | {"x": "y" * (LONG + 2)}).encode()},
    ],
    ids=["time", "method", "path", "status", "none", "request", "answer", "page", "empty", "swapped", "image"],
)
def test_another_exchange_has_another_identity(other):
    assert recorded(**other).identity != recorded().identity


def test_long_strings_that_differ_make_different_exchanges():
    one, other = (json.dumps(ANSWER | {"x": c * (LONG + 2)}).encode() for c in "ab")
    assert recorded(answer=one).identity != recorded(answer=other).identity


def test_an_identity_never_changes_between_versions():
    assert recorded().identity == (-31, "bf182a26-71a5-5db7-b1d6-fa92d8629b1e")


def test_an_address_gives_path_and_query():
    assert target("https://example.org/v1/models/m:generateContent?key=k") == ("/v1/models/m:generateContent", b"key=k")
    assert target("/v1/models/m:generateContent") == ("/v1/models/m:generateContent", b"")
    assert target("https://example.org") == ("/", b"")


@pytest.mark.parametrize("url", ["v1/models", "", "ftp://x/", "https://[::1/v1"])
def test_what_is_not_an_address_is_refused_without_showing_it(url):
    with pytest.raises(RefusedLine) as refused:
        target(url)
    assert not url or url not in str(refused.value)


def test_labels_have_the_limits_and_the_cleaning_of_headers():
    many = {f"n{number}": "v" for number in range(MAX_LABELS + 1)}
    caller = caller_of(labelled({"Team": "search", "cost": 7, "a" * 99: "v" * 999, "nul": "a\0b"}), b"")
    assert caller.labels == {"team": "search", "cost": "7", "a" * MAX_NAME: "v" * MAX_VALUE, "nul": "ab"}
    assert caller.labels_cut
    assert len(caller_of(labelled(many), b"").labels) == MAX_LABELS


@pytest.mark.parametrize("value", [None, 1.5, True, [], {}])
def test_a_label_that_is_not_a_text_is_refused(value):
    with pytest.raises(RefusedLine, match="label 'team' is not a text"):
        labelled({"team": value})


def test_headers_lose_what_speaks_of_an_encoding_the_file_has_undone():
    headers = [header("Content-Encoding", "gzip"), header("X-Gemini-Service-Tier", "flex"), header("x-n", 3)]
    assert decoded(headers) == [(b"x-gemini-service-tier", b"flex"), (b"x-n", b"3")]


def event(**asked: str) -> Event:
    return Event(
        id="e",
        occurred_us=1,
        api="gemini",
        operation="generate_content",
        ending="finished",
        asked=RequestFacts(**asked),
    )


def test_an_assumed_model_only_fills_a_gap():
    assert ImportDefaults(model="m").completed(event()).asked.model == "m"
    assert ImportDefaults(model="m").completed(event(model="n")).asked.model == "n"
    assert ImportDefaults(model="m").completed(event(agent="a")).asked.model is None
    assert ImportDefaults().completed(event()) == event()


def test_the_given_time_comes_first_then_the_recording_then_the_date_header_then_what_is_assumed():
    assert occurred_us("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z", DATE, 7) == NOON
    assert occurred_us(None, "2026-11-21T13:00:00Z", DATE, 7) == ONE
    assert occurred_us(None, None, DATE, 7) == TWO
    assert occurred_us(None, None, [], 7) == 7


@pytest.mark.parametrize(
    "text",
    ["2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000000Z", "2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00",
     "2026-11-21 12:00", "Sat, 21 Nov 2026 12:00:00 GMT"],
)  # fmt: skip
def test_instants_and_http_dates_are_read_and_utc_is_meant_without_an_offset(text):
    assert occurred_us(text, None, [], None) == NOON


def test_microseconds_are_kept():
    assert occurred_us("2026-11-21T12:00:00.000001Z", None, [], None) == NOON + 1


@pytest.mark.parametrize(
    "text", ["yesterday", "", "12", "2026-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31", "\ud800"]
)
def test_a_given_time_that_cannot_be_read_is_refused_and_not_passed_over(text):
    with pytest.raises(RefusedLine, match="its time is '"):
        occurred_us(text, "2026-11-21T13:00:00Z", DATE, 7)


@pytest.mark.parametrize("text", ["in autumn", "Fri, 99 Foo 2026", "Mon, 01 Jan 0001 00:00:00 +9999", "\0"])
def test_a_recording_time_or_date_header_that_cannot_be_read_counts_as_none(text):
    assert occurred_us(None, text, DATE, 7) == TWO
    assert occurred_us(None, None, [(b"date", text.encode())], 7) == 7


def test_an_exchange_without_any_time_is_refused():
    with pytest.raises(RefusedLine, match="--occurred-at"):
        occurred_us(None, None, [], None)
