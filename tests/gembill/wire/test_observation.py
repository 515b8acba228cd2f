"""What an answer shows, gathered: merging, the last word, snapshots, and bounds however long it gets."""

import json

import pytest
from msgspec import Raw

from gembill.event import Part, Snapshot, UnreadReason
from gembill.model import ApiError
from gembill.wire import grounding as grounding_module
from gembill.wire import observation as observation_module
from gembill.wire.json_text import value
from gembill.wire.observation import Observation


def raw(**members: object) -> Raw:
    return Raw(json.dumps(members).encode())


def gather(*parts: Part) -> Observation:
    observation = Observation()
    for part in parts:
        observation.add_part(part)
    return observation


def test_neighbouring_texts_of_a_candidate_are_one_part():
    text, thought, code = Part(kind="text", chars=3), Part(kind="text", thought=True, chars=5), Part(kind="code")
    assert gather(text, text, thought, thought, text, code, text).response_facts().outline == (
        Part(kind="text", chars=6), Part(kind="text", thought=True, chars=10), text, code, text,
    )  # fmt: skip


def test_a_text_grows_where_it_began_and_takes_no_further_room():
    observation = Observation()
    for n in range(observation_module.MAX_PARTS - 1):
        observation.add_part(Part(kind="code", chars=n))
    observation.add_text(3)
    observation.add_text(4)
    assert observation.response_facts() == observation.response_facts()
    assert observation.response_facts().outline[-1] == Part(kind="text", chars=7)
    assert observation.response_facts().unread is None
    observation.add_text(1, thought=True)
    assert observation.response_facts().unread == "too_many_parts"
    assert observation.response_facts().outline[-1] == Part(kind="text", chars=7)


def test_texts_of_candidates_that_take_turns_are_one_part_each():
    facts = gather(*(Part(kind="text", candidate=n % 2, chars=1) for n in range(5_000))).response_facts()
    assert facts.outline == (Part(kind="text", chars=2_500), Part(kind="text", candidate=1, chars=2_500))
    assert facts.unread is None


def test_codes_are_never_one_part():
    code = Part(kind="code", chars=4, digest="00")
    assert gather(code, code).response_facts().outline == (code, code)


def test_too_many_parts_are_said_and_not_kept():
    facts = gather(*(Part(kind="code", chars=n) for n in range(observation_module.MAX_PARTS + 10))).response_facts()
    assert len(facts.outline) == observation_module.MAX_PARTS
    assert facts.unread == "too_many_parts"


def test_the_first_reason_for_not_reading_is_kept():
    observation = Observation()
    observation.mark_unread(UnreadReason.MALFORMED)
    observation.mark_unread(UnreadReason.TOO_LARGE)
    assert observation.response_facts().unread == "malformed"


def test_the_last_word_counts_and_an_empty_one_changes_nothing():
    observation = Observation()
    for said in ("one", "two", None, "", 5.5, []):
        observation.add_word("model_version", said)
    assert observation.response_facts().model_version == "two"


@pytest.mark.parametrize("empty", [None, b"null", b"{}", b"{ }", b"{\n}"])
def test_an_empty_usage_leaves_the_last_one(empty):
    observation = Observation()
    observation.update_usage(raw(promptTokenCount=5))
    observation.update_usage(None if empty is None else Raw(empty))
    assert json.loads(observation.response_facts().usage or "") == {"promptTokenCount": 5}


def test_the_last_usage_replaces_the_one_before_and_is_never_added():
    observation = Observation()
    observation.update_usage(raw(promptTokenCount=5, toolUsePromptTokenCount=9))
    observation.update_usage(raw(promptTokenCount=7))
    assert json.loads(observation.response_facts().usage or "") == {"promptTokenCount": 7}


@pytest.mark.parametrize("tier", [{"trafficType": "ON_DEMAND"}, {"trafficType": 1}, {"promptTokenCount": None}])
def test_a_usage_without_counts_replaces_none_that_has_counts(tier):
    observation = Observation()
    for members in (tier, {"promptTokenCount": 5}, tier):
        observation.update_usage(raw(**members))
    assert json.loads(observation.response_facts().usage or "") == {"promptTokenCount": 5}


def test_a_huge_usage_is_said_and_not_kept():
    observation = Observation()
    observation.update_usage(raw(promptTokenCount=5))
    observation.update_usage(raw(pad="x" * observation_module.MAX_USAGE))
    assert json.loads(observation.response_facts().usage or "") == {"promptTokenCount": 5}
    assert observation.response_facts().unread == "usage_too_large"


def test_of_a_huge_usage_alone_the_beginning_is_kept_until_one_with_counts_comes():
    observation = Observation()
    observation.update_usage(raw(pad="x" * observation_module.MAX_USAGE, promptTokenCount=7))
    assert len(observation.response_facts().usage or "") == observation_module.MAX_USAGE
    observation.update_usage(raw(trafficType="ON_DEMAND"))
    assert (observation.response_facts().usage or "").startswith('{"pad": "xxx')
    observation.update_usage(raw(promptTokenCount=8))
    assert json.loads(observation.response_facts().usage or "") == {"promptTokenCount": 8}


def test_usage_that_is_not_utf8_is_kept_readable():
    observation = Observation()
    observation.update_usage(Raw(b'{"a": "\xff"}'))
    assert observation.response_facts().usage == '{"a": "\\xff"}'


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b'{\n  "n": 1.50,\r\n\t"a b": [ ],\n  "c": "x\\u00e9  \xc3\xa9"\n}', '{"n":1.50,"a b":[],"c":"x\\u00e9  é"}'),
        (b'{"n": 100000000000000000000000000000000, "n": -0}', '{"n":100000000000000000000000000000000,"n":-0}'),
        (b'{"n": NaN}', '{"n": NaN}'),
        (b'{"n": 01}', '{"n": 01}'),
    ],
)
def test_of_a_usage_only_the_white_space_between_its_words_is_left_out(said, kept):
    observation = Observation()
    observation.update_usage(Raw(said))
    assert observation.response_facts().usage == kept


def test_different_queries_are_counted_once_each():
    observation = Observation()
    observation.add_grounding(["sun", "moon", "sun", "", "  ", None, 5, "\ud800"])
    assert (observation.response_facts().searches, observation.response_facts().grounded) == (3, True)


def test_queries_without_end_are_bounded(monkeypatch):
    monkeypatch.setattr(grounding_module, "MAX_SEARCHES", 3)
    observation = Observation()
    for n in range(9):
        observation.add_grounding([f"query {n}"])
    assert (observation.response_facts().searches, observation.response_facts().unread) == (3, "too_many_searches")
    assert "query" not in repr(vars(observation._grounding))


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
    observation = Observation()
    observation.add_error(value(raw(**error)))
    assert observation.response_facts().fault == fault


@pytest.mark.parametrize("error", [None, b"null", b"{}", b'"text"', b"5", b"[]"])
def test_what_is_not_an_error_object_is_not_an_error(error):
    observation = Observation()
    observation.add_error(None if error is None else value(error))
    assert observation.response_facts().fault is None


def test_snapshots_stand_where_a_round_shows():
    observation = Observation()
    for n, kind in enumerate(("text", "code", "result", "text", "text")):
        observation.add_part(Part(kind=kind, chars=1))
        observation.update_usage(raw(n=n))
        observation.end_document()
    shown = [(s.after, json.loads(s.usage)["n"]) for s in observation.response_facts().snapshots]
    assert shown == [(2, 1), (3, 2), (4, 3)]
    assert observation.response_facts().documents == 5


def test_one_document_has_no_snapshots():
    observation = Observation()
    observation.add_part(Part(kind="code"))
    observation.update_usage(raw(n=1))
    observation.end_document()
    assert observation.response_facts().snapshots == ()


def test_snapshots_are_bounded():
    observation = Observation()
    for n in range(observation_module.MAX_SNAPSHOTS + 20):
        observation.add_part(Part(kind="code", chars=n))
        observation.update_usage(raw(n=n))
        observation.end_document()
    assert len(observation.response_facts().snapshots) == observation_module.MAX_SNAPSHOTS
    assert observation.response_facts().snapshots[0] == Snapshot(after=1, usage='{"n":0}')
