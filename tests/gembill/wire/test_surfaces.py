"""The table of surfaces: each row meets its documented paths, no two rows claim one path, free is a closed list."""

import re
from itertools import combinations

import pytest

from gembill.model import Operation
from gembill.wire.surfaces import FREE, SURFACES

PAID = {
    "models/m:generateContent": Operation.GENERATE_CONTENT,
    "publishers/google/models/m:streamGenerateContent": Operation.GENERATE_CONTENT,
    "models/m:batchGenerateContent": Operation.BATCH,
    "interactions": Operation.INTERACTIONS,
    "openai/chat/completions": Operation.OPENAI_CHAT,
    "endpoints/openapi/chat/completions": Operation.OPENAI_CHAT,
    "cachedContents": Operation.CACHE_STORAGE,
    "models/gemini-embedding-001:embedContent": Operation.EMBED_CONTENT,
    "models/gemini-embedding-001:batchEmbedContents": Operation.EMBED_CONTENT,
    "models/gemini-embedding-001:asyncBatchEmbedContent": Operation.EMBED_CONTENT,
    "openai/embeddings": Operation.EMBED_CONTENT,
    "models/imagen-4.0-generate-001:predict": Operation.GENERATE_IMAGES,
    "publishers/google/models/imagen-4.0-fast-generate-001:predict": Operation.GENERATE_IMAGES,
    "openai/images/generations": Operation.GENERATE_IMAGES,
    "publishers/google/models/text-embedding-005:predict": Operation.EMBED_CONTENT,
    "publishers/google/models/some-model:predict": Operation.PREDICT,
    "endpoints/4711:predict": Operation.PREDICT,
    "models/veo-3.1-generate-preview:predictLongRunning": Operation.GENERATE_VIDEOS,
    "decisions": Operation.DECISIONS,
    "openai/responses": Operation.OPENAI_RESPONSES,
    "fileSearchStores/s:importFile": Operation.IMPORT_FILE,
    "fileSearchStores/s:uploadToFileSearchStore": Operation.IMPORT_FILE,
    "batchPredictionJobs": Operation.BATCH_PREDICTION,
}
COSTS_NOTHING = (
    "models/m:countTokens",
    "publishers/google/models/m:computeTokens",
    "files",
    "files:register",
    "files/f",
    "operations/o:cancel",
    "models/veo/operations/o:cancel",
    "models/veo-3.1-generate-001:fetchPredictOperation",
    "batches/b:cancel",
    "interactions/i/cancel",
    "interactions/i/auth_tokens",
    "agents",
    "agents/a",
    "auth_tokens",
    "environments/e/files/folder/name.txt",
    "fileSearchStores",
    "fileSearchStores/s/documents",
    "webhooks/w:ping",
    "tunedModels/t/permissions",
)


def rows(path: str) -> list[Operation]:
    return [surface.operation for surface in SURFACES if surface.pattern.fullmatch(path)]


def is_free(path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in FREE)


@pytest.mark.parametrize(("path", "operation"), PAID.items())
def test_a_paid_path_meets_its_row_first_and_is_not_free(path, operation):
    assert rows(path)[0] == operation
    assert not is_free(path)


def test_every_row_is_met_by_a_path_of_this_test():
    met = {id(surface) for surface in SURFACES for path in PAID if surface.pattern.fullmatch(path)}
    assert met == {id(surface) for surface in SURFACES}


def test_every_operation_has_a_row():
    by_post = set(Operation) - {Operation.LIVE}  # a session begins with a GET
    assert {surface.operation for surface in SURFACES} >= by_post


@pytest.mark.parametrize("path", COSTS_NOTHING)
def test_what_costs_nothing_is_on_the_closed_list_and_in_no_row(path):
    assert is_free(path)
    assert rows(path) == []


def test_only_models_that_are_known_by_name_overlap_with_another_row():
    clashes = {
        frozenset((one.operation, other.operation))
        for one, other in combinations(SURFACES, 2)
        for path in PAID
        if one.pattern.fullmatch(path) and other.pattern.fullmatch(path)
    }
    assert clashes == {
        frozenset((one, Operation.PREDICT)) for one in (Operation.GENERATE_IMAGES, Operation.EMBED_CONTENT)
    }


@pytest.mark.parametrize(
    "path",
    ["models/m:inventedVerb", "openai/audio/speech", "tuningJobs", "voices", "triggers/t:run", "models/lyria-3:compose",
     "publishers/anthropic/models/claude-x:rawPredict"],
)  # fmt: skip
def test_a_verb_of_the_future_is_neither_known_nor_free(path):
    assert rows(path) == []
    assert not is_free(path)


def test_patterns_match_whole_segments_only():
    for surface in SURFACES:
        assert not re.search(r"(?<!\\)\.\*", surface.path), surface.path
