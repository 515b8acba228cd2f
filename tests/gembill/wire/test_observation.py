"""What an answer shows, gathered: merging, the last word, snapshots, and bounds however long it gets."""

import json

import pytest
from msgspec import Raw

from gembill.model import ApiError, Part, Snapshot
from gembill.wire import observation
from gembill.wire.observation import Observation


def raw(**value: object) -> Raw:
    return Raw(json.dumps(value).encode())


def gather(*parts: Part) -> Observation:
    found = Observation()
    for part in parts:
        found.part(part)
    return found


def test_neighbouring_texts_of_a_candidate_are_one_part():
    text, thought, code = Part(kind="text", chars=3), Part(kind="text", thought=True, chars=5), Part(kind="code")
    assert gather(text, text, thought, thought, text, code, text).seen().outline == (
        Part(kind="text", chars=6), Part(kind="text", thought=True, chars=10), text, code, text,
    )  # fmt: skip


def test_texts_of_candidates_that_take_turns_are_one_part_each():
    found = gather(*(Part(kind="text", candidate=n % 2, chars=1) for n in range(5_000))).seen()
    assert found.outline == (Part(kind="text", chars=2_500), Part(kind="text", candidate=1, chars=2_500))
    assert found.unread is None


def test_codes_are_never_one_part():
    code = Part(kind="code", chars=4, digest="00")
    assert gather(code, code).seen().outline == (code, code)


def test_too_many_parts_are_said_and_not_kept():
    found = gather(*(Part(kind="code", chars=n) for n in range(observation.MAX_PARTS + 10))).seen()
    assert len(found.outline) == observation.MAX_PARTS
    assert found.unread == "too_many_parts"


def test_the_first_reason_for_not_reading_is_kept():
    found = Observation()
    found.unread("malformed")
    found.unread("too_large")
    assert found.seen().unread == "malformed"


def test_the_last_word_counts_and_an_empty_one_changes_nothing():
    found = Observation()
    for said in ("one", "two", None, "", 5.5, []):
        found.word("model_version", said)
    assert found.seen().model_version == "two"


@pytest.mark.parametrize("empty", [None, b"null", b"{}", b"{ }", b"{\n}"])
def test_an_empty_usage_leaves_the_last_one_standing(empty):
    found = Observation()
    found.usage(raw(promptTokenCount=5))
    found.usage(None if empty is None else Raw(empty))
    assert json.loads(found.seen().usage or "") == {"promptTokenCount": 5}


def test_the_last_usage_replaces_the_one_before_and_is_never_added():
    found = Observation()
    found.usage(raw(promptTokenCount=5, toolUsePromptTokenCount=9))
    found.usage(raw(promptTokenCount=7))
    assert json.loads(found.seen().usage or "") == {"promptTokenCount": 7}


def test_a_huge_usage_is_said_and_not_kept():
    found = Observation()
    found.usage(raw(promptTokenCount=5))
    found.usage(raw(pad="x" * observation.MAX_USAGE))
    assert json.loads(found.seen().usage or "") == {"promptTokenCount": 5}
    assert found.seen().unread == "usage_too_large"


def test_usage_that_is_no_utf8_is_kept_readable():
    found = Observation()
    found.usage(Raw(b'{"a": "\xff"}'))
    assert found.seen().usage == '{"a": "\\xff"}'


def test_different_queries_are_counted_once_each():
    found = Observation()
    for query in ("sun", "moon", "sun", "", "  ", None, 5, "\ud800"):
        found.search(query)
    assert (found.seen().searches, found.seen().grounded) == (3, True)


def test_queries_without_end_are_bounded(monkeypatch):
    monkeypatch.setattr(observation, "MAX_SEARCHES", 3)
    found = Observation()
    for n in range(9):
        found.search(f"query {n}")
    assert (found.seen().searches, found.seen().unread) == (3, "too_many_searches")
    assert "query" not in repr(found._searches)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}, ApiError(code=503, status="UNAVAILABLE")),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, ApiError(code=429, status="RESOURCE_EXHAUSTED", kind="rate")),
        ({"code": 429, "message": "Your Prepayment is used up"}, ApiError(code=429, kind="prepayment_depleted")),
        ({"code": 429, "message": "over its monthly spending cap"}, ApiError(code=429, kind="monthly_cap")),
        ({"status": "RESOURCE_EXHAUSTED", "message": "spend too fast"}, ApiError(status="RESOURCE_EXHAUSTED", kind="spend_rate")),
        ({"code": 429, "message": {"spend": 1}}, ApiError(code=429, kind="rate")),
        ({"code": "invalid_request"}, ApiError(code="invalid_request")),
        ({"code": True, "message": "x"}, ApiError()),
        ({"code": 10**24}, ApiError(code=str(10**24))),
        ({"code": 1.5, "status": 7}, ApiError(status="7")),
        ({"code": [], "status": "S" * 99}, ApiError(status="S" * 64)),
    ],
)  # fmt: skip
def test_an_error_is_kept_by_code_status_and_which_limit_was_met(error, fault):
    found = Observation()
    found.fault(raw(**error))
    assert found.seen().fault == fault


@pytest.mark.parametrize("error", [None, b"null", b"{}", b'"text"', b"5", b"[]"])
def test_what_is_no_error_object_is_no_fault(error):
    found = Observation()
    found.fault(None if error is None else Raw(error))
    assert found.seen().fault is None


def test_snapshots_stand_where_a_round_shows():
    found = Observation()
    for n, kind in enumerate(("text", "code", "result", "text", "text")):
        before = found.parts
        found.part(Part(kind=kind, chars=1))
        found.usage(raw(n=n))
        found.document_end(before)
    shown = [(s.after, json.loads(s.usage)["n"]) for s in found.seen().snapshots]
    assert shown == [(2, 1), (3, 2), (4, 3)]
    assert found.seen().documents == 5


def test_one_document_has_no_snapshots():
    found = Observation()
    found.part(Part(kind="code"))
    found.usage(raw(n=1))
    found.document_end(0)
    assert found.seen().snapshots == ()


def test_snapshots_are_bounded():
    found = Observation()
    for n in range(observation.MAX_SNAPSHOTS + 20):
        found.part(Part(kind="code", chars=n))
        found.usage(raw(n=n))
        found.document_end(n)
    assert len(found.seen().snapshots) == observation.MAX_SNAPSHOTS
    assert found.seen().snapshots[0] == Snapshot(after=1, usage='{"n": 0}')
