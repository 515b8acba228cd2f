"""Usage on surfaces nobody described to us: every known form is read, an unknown form has no count."""

import json

import pytest

from gembill.wire import any_form
from gembill.wire.observation import Observation
from gembill.wire.token_counts import InvalidUsage, Usage


def split(usage: Usage) -> tuple[int | None, ...]:
    return usage.prompt, usage.cached, usage.candidates, usage.thoughts, usage.total


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9}, (7, None, 2, None, 9)),
        ({"total_input_tokens": 7, "total_output_tokens": 2, "total_tokens": 9}, (7, None, 2, None, 9)),
        ({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}, (7, None, 2, None, 9)),
        (
            {
                "input_tokens": 7,
                "input_tokens_details": {"cached_tokens": 3},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 4},
                "total_tokens": 12,
            },
            (7, 3, 1, 4, 12),
        ),
        (
            {"input_tokens": 7, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 10, "output_tokens": 5},
            (7 + 100 + 10, 100, 5, None, 7 + 100 + 10 + 5),
        ),
        ({"input_tokens": 7}, (7, None, None, None, 7)),
        ({"output_tokens": 7}, (None, None, 7, None, None)),
        ({"credits": 7}, (None, None, None, None, None)),
    ],
)
def test_a_usage_is_read_by_the_form_it_has(usage, expected):
    assert split(any_form.usage(json.dumps(usage))) == expected


def test_pictures_and_sound_are_told_from_text_and_thinking():
    counts = any_form.usage(
        json.dumps(
            {
                "input_tokens": 7,
                "input_tokens_details": {"audio_tokens": 4},
                "output_tokens": 20,
                "output_tokens_details": {"reasoning_tokens": 5, "image_tokens": 9},
            }
        )
    )
    assert (counts.prompt_details, counts.candidates_details) == ({"audio": 4, "text": 3}, {"image": 9, "text": 6})


@pytest.mark.parametrize("count", [-1, 1.5, "7", True, 2**54])
def test_a_count_that_is_not_believable_makes_the_usage_invalid(count):
    with pytest.raises(InvalidUsage):
        any_form.usage(json.dumps({"input_tokens": count}))


@pytest.mark.parametrize(
    "document",
    [
        {"model": "m-1", "id": "r", "usage": {"input_tokens": 1}},
        {"type": "response.completed", "response": {"model": "m-1", "id": "r", "usage": {"input_tokens": 1}}},
        {"type": "message_start", "message": {"model": "m-1", "id": "r", "usage": {"input_tokens": 1}}},
        {"modelVersion": "m-1", "responseId": "r", "usageMetadata": {"input_tokens": 1}},
    ],
)
def test_the_usage_is_found_where_streams_and_answers_have_it(document):
    observation = Observation()
    any_form.observe(json.dumps(document).encode(), observation)
    facts = observation.response_facts()
    assert (facts.model_version, facts.response_id) == ("m-1", "r")
    assert json.loads(facts.usage or "{}") == {"input_tokens": 1}


def test_an_error_is_kept_and_what_is_not_an_object_is_said():
    observation = Observation()
    any_form.observe(b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}', observation)
    any_form.observe(b"[1]", observation)
    facts = observation.response_facts()
    assert facts.fault is not None
    assert (facts.fault.code, facts.unread) == (429, "malformed")


def test_a_request_tells_its_model_tier_and_stream():
    facts, basis = any_form.request_facts(b'{"model": "m", "service_tier": "flex", "stream": true}', None)
    assert (facts.model, facts.service_tier, facts.stream, basis) == ("m", "flex", True, None)
    assert any_form.request_facts(None, "of-the-path")[0].model == "of-the-path"
