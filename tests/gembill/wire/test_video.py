"""Films: what a request asks for, and what a finished operation made."""

import json

import pytest

from gembill.event import FilmRequest
from gembill.wire import video
from gembill.wire.observation import Observation

NAME = "models/veo-3.1-generate-preview/operations/o1"
FILM = {"video": {"uri": "https://x.example/f"}}


def seen(document):
    observation = Observation()
    video.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


def asked(**parameters):
    return video.request_facts(json.dumps({"instances": [{}], "parameters": parameters}).encode(), "veo")[0].film


@pytest.mark.parametrize(
    ("parameters", "film"),
    [
        ({}, FilmRequest()),
        (
            {"sampleCount": 2, "durationSeconds": "6", "resolution": "1080p", "generateAudio": False},
            FilmRequest(samples=2, seconds=6, resolution="1080p", sound=False),
        ),
        ({"numberOfVideos": 3, "duration_seconds": 4.0}, FilmRequest(samples=3, seconds=4)),
        (
            {"sampleCount": -1, "durationSeconds": "x", "resolution": 7, "generateAudio": "yes"},
            FilmRequest(resolution="7"),
        ),
    ],
)
def test_a_request_says_how_many_films_of_how_many_seconds(parameters, film):
    assert asked(**parameters) == film


def test_of_a_body_that_cannot_be_read_nothing_is_known():
    assert video.request_facts(None, "veo")[0].film is None


@pytest.mark.parametrize(
    ("response", "made"),
    [
        ({"generateVideoResponse": {"generatedSamples": [FILM, FILM]}}, 2),
        ({"videos": [{"gcsUri": "gs://b/o.mp4"}]}, 1),
        ({"generateVideoResponse": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["x"]}}, 0),
        ({"raiMediaFilteredCount": 1, "videos": []}, 0),
        ({"generateVideoResponse": {}}, None),
        ("x", None),
    ],
)
def test_a_finished_operation_lists_its_films(response, made):
    facts = seen({"name": NAME, "done": True, "response": response})
    assert (facts.made, facts.finish_reason, facts.response_id) == (made, video.DONE, NAME)


def test_an_operation_that_runs_has_no_films_and_one_that_failed_has_an_error():
    running = seen({"name": NAME, "response": {"videos": [FILM]}})
    assert (running.made, running.finish_reason, running.response_id) == (None, None, NAME)
    failed = seen({"name": NAME, "done": True, "error": {"code": 13, "message": "x"}})
    assert (failed.made, failed.finish_reason, failed.fault.code) == (None, video.DONE, 13)
