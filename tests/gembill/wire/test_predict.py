"""Pictures: counted where they are in the answer, not where they were filtered out."""

import json

import pytest

from gembill.wire import predict
from gembill.wire.observation import Observation

PICTURE = {"bytesBase64Encoded": "QUJD", "mimeType": "image/jpeg"}
FILTERED = {"raiFilteredReason": "blocked"}


def seen(document):
    observation = Observation()
    predict.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


@pytest.mark.parametrize(
    ("answer", "made"),
    [
        ({"predictions": [PICTURE, PICTURE]}, 2),
        ({"predictions": [{"gcsUri": "gs://b/o.png"}, FILTERED]}, 1),
        ({"predictions": [FILTERED]}, 0),
        ({"predictions": []}, 0),
        ({"data": [{"b64_json": "QUJD"}, {"url": "https://x.example/1.png"}]}, 2),
        ({"predictions": [{"audioContent": "QUJD", "mimeType": "audio/wav"}]}, None),
        ({"predictions": [{"bytesBase64Encoded": "QUJD", "mimeType": "audio/wav"}]}, None),
        ({"predictions": [PICTURE, {"score": 1}]}, None),
        ({"predictions": [1, 2]}, None),
        ({"predictions": {}}, None),
        ({}, None),
    ],
)
def test_pictures_are_counted_and_other_results_are_not(answer, made):
    assert seen(answer).made == made


def test_pictures_appear_in_the_outline_with_their_size():
    first, second = seen({"predictions": [PICTURE, {"gcsUri": "gs://b/o"}]}).outline
    assert (first.kind, first.mime, first.chars, second.mime, second.candidate) == (
        "blob",
        "image/jpeg",
        3,
        "image/png",
        1,
    )


def test_a_usage_beside_the_pictures_and_tokens_of_embeddings_are_read():
    usage = predict.usage(
        seen({"data": [], "usage": {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}}).usage
    )
    assert (usage.prompt, usage.candidates, usage.total) == (3, 9, 12)
    told = seen({"predictions": [{"embeddings": {"statistics": {"token_count": 4}}}]})
    assert (predict.usage(told.usage).prompt, told.made) == (4, None)


def test_the_model_is_that_of_the_path_or_of_the_body():
    assert predict.request_facts(b'{"model": "imagen-4.0-generate-001"}', None)[0].model == "imagen-4.0-generate-001"
    assert predict.request_facts(b'{"model": "x"}', "m")[0].model == "m"
