"""Imports into a file search store: tokens where they are told, and never a guess."""

import json

import pytest

from gembill.wire import file_search
from gembill.wire.observation import Observation

TOLD = {"usageMetadata": {"promptTokenCount": 9}}


def seen(document):
    observation = Observation()
    file_search.observe(json.dumps(document).encode(), observation)
    return observation.response_facts()


@pytest.mark.parametrize(
    "answer", [TOLD, {"response": TOLD}, {"metadata": TOLD, "name": "fileSearchStores/s/operations/o"}]
)
def test_tokens_are_those_of_the_model_that_embeds(answer):
    facts = seen(answer)
    assert (file_search.usage(facts.usage).prompt, facts.model_version) == (9, file_search.EMBEDDER)


@pytest.mark.parametrize(
    "answer", [{}, {"name": "fileSearchStores/s/operations/o"}, {"response": {"documentName": "d"}}]
)
def test_an_import_that_tells_no_tokens_is_not_counted(answer):
    facts = seen(answer)
    assert (facts.usage, facts.model_version) == (None, None)


def test_it_is_known_that_an_import_runs_no_code():
    assert file_search.request_facts(b"{}", None)[0].declared is False
