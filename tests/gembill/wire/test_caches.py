"""Cached contents: what is kept, of which model, from when until when."""

import json

import pytest

from gembill.event import Stored
from gembill.wire import caches
from gembill.wire.observation import Observation

MADE = {
    "name": "cachedContents/c",
    "model": "models/gemini-2.5-flash",
    "createTime": "2026-11-10T12:00:00.123456789Z",
    "expireTime": "2026-11-10T13:00:00Z",
    "usageMetadata": {"totalTokenCount": 2162},
}


def seen(document):
    observation = Observation()
    caches.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


def test_a_cached_content_says_what_is_kept_and_how_long():
    facts = seen(MADE)
    assert (facts.response_id, facts.model_version, facts.usage) == ("cachedContents/c", "gemini-2.5-flash", None)
    start = 1_794_312_000_000_000
    assert facts.stored == Stored(tokens=2162, from_us=start + 123_456, until_us=start + 3_600_000_000)


def test_on_vertex_the_model_has_its_place_in_front():
    model = "projects/p/locations/l/publishers/google/models/gemini-2.5-pro"
    assert seen({**MADE, "model": model}).model_version == "gemini-2.5-pro"


@pytest.mark.parametrize(
    "changes",
    [
        {"createTime": None},
        {"expireTime": "tomorrow"},
        {"expireTime": "2026-11-10T13:00:00"},
        {"usageMetadata": {}},
        {"usageMetadata": {"totalTokenCount": -1}},
        {"usageMetadata": {"totalTokenCount": "x"}},
    ],
)
def test_without_tokens_and_both_times_nothing_is_known_to_be_kept(changes):
    assert seen({**MADE, **changes}).stored is None


def test_a_request_says_its_model():
    assert caches.request_facts(b'{"model": "models/gemini-2.5-flash"}', None)[0].model == "gemini-2.5-flash"
