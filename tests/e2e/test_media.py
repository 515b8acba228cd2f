"""Embeddings, pictures, films and decisions through the proxy: each paid call once, by what it is billed by."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gembill.ledger import LedgerRecord, Selection, open_ledger, read_records
from gembill_simulator import Options, simulator_in_thread
from tests.e2e.player import Player, Reply
from tests.surroundings import clean

MODEL = "models/veo-3.1-generate-preview"
NAME = f"{MODEL}/operations/o1"
FILM = {"instances": [{"prompt": "x"}], "parameters": {"durationSeconds": 6, "sampleCount": 2}}
SAMPLE = {"video": {"uri": "https://x.example/f"}}


def said(document: object, status: int = 200) -> Reply:
    return Reply([json.dumps(document).encode()], status=status)


def done(**end: object) -> Reply:
    return said({"name": NAME, "done": True, **end})


def test_embeddings_of_every_form_are_records_with_input_tokens(recording):
    replies = [
        said({"embedding": {"values": [0.1]}, "usageMetadata": {"promptTokenCount": 4}}),
        said({"embeddings": [], "usageMetadata": {"promptTokenCount": 5}}),
        said({"model": "gemini-embedding-001", "data": [], "usage": {"prompt_tokens": 6, "total_tokens": 6}}),
        said({"embedding": {"values": [0.1]}}),
    ]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post("/v1beta/models/gemini-embedding-001:embedContent")
        proxy.post("/v1beta/models/gemini-embedding-001:batchEmbedContents")
        proxy.post("/v1beta/openai/embeddings", {"model": "gemini-embedding-001", "input": "x"})
        proxy.post("/v1beta/models/gemini-embedding-001:embedContent")
    records = [stored.record for stored in reversed(proxy.records())]
    assert {(one.operation, one.model) for one in records} == {("embed_content", "gemini-embedding-001")}
    assert [(one.status, one.tokens.input, one.tokens.total) for one in records] == [
        ("complete", 4, 4),
        ("complete", 5, 5),
        ("complete", 6, 6),
        ("unknown", None, None),
    ]
    assert [one.anomalies for one in records] == [(), (), (), ("unmetered_surface",)]


@pytest.mark.parametrize(
    ("end", "status", "seconds"),
    [
        ({"response": {"generateVideoResponse": {"generatedSamples": [SAMPLE, SAMPLE]}}}, "complete", 12),
        ({"response": {"generateVideoResponse": {"generatedSamples": [SAMPLE]}}}, "complete", 6),
        ({"response": {"generateVideoResponse": {"raiMediaFilteredCount": 2}}}, "complete", 0),
        ({"error": {"code": 13, "message": "internal"}}, "error", 0),
    ],
)
def test_a_film_polled_five_times_is_one_record_with_what_was_made(end, status, seconds, recording):
    replies = [said({"name": NAME}), said({"name": NAME}), *[done(**end)] * 3, said({}, 404)]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(f"/v1beta/{MODEL}:predictLongRunning", FILM, {"x-gembill-label-team": "film"})
        for _ in replies[1:]:
            proxy.get(f"/v1beta/{NAME}")
    (stored,) = proxy.records()
    record = stored.record
    assert (record.operation, record.status, record.model, record.labels) == (
        "generate_videos",
        status,
        MODEL.removeprefix("models/"),
        {"team": "film"},
    )
    assert "estimated" not in record.flags
    assert record.tokens.total is None
    assert stored.cost_pico == 0 if not seconds else stored.cost_pico != 0


def test_until_its_operation_is_done_a_film_is_estimated(recording):
    replies = [said({"name": NAME}), said({"name": NAME})]
    with Player(replies).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(f"/v1beta/{MODEL}:predictLongRunning", FILM)
        proxy.get(f"/v1beta/{NAME}")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.flags) == ("partial", ("incomplete", "estimated"))


def test_a_poll_after_a_restart_neither_replaces_the_estimate_nor_makes_a_record(recording):
    finished = done(response={"generateVideoResponse": {"generatedSamples": [SAMPLE]}})
    with Player([said({"name": NAME}), finished, finished]).serving() as player:
        proxy = recording(player.url)
        with proxy.running():
            proxy.post(f"/v1beta/{MODEL}:predictLongRunning", FILM)
        with proxy.running():
            proxy.get(f"/v1beta/{NAME}")
            proxy.get(f"/v1beta/{NAME.replace('o1', 'o2')}")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.flags) == ("partial", ("incomplete", "estimated"))


def test_decisions_are_metered_as_interactions_are(recording):
    usage = {"total_input_tokens": 5000, "total_output_tokens": 20, "total_tokens": 5020}
    answer = {"id": "d-1", "model": "gemini-3-flash-preview", "status": "completed", "usage": usage}
    with Player([said(answer)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post("/v1beta/decisions", {"model": "gemini-3-flash-preview", "input": "x"})
    (stored,) = proxy.records()
    assert (stored.record.operation, stored.record.status, stored.record.model) == (
        "decisions",
        "complete",
        "gemini-3-flash-preview",
    )
    assert (stored.record.tokens.input, stored.record.tokens.output, stored.record.tokens.total) == (5000, 20, 5020)
    assert stored.cost_pico == 5000 * 500_000 + 20 * 3_000_000


def test_an_import_for_file_search_costs_its_embedding_where_the_tokens_are_told(recording):
    told = {"name": "fileSearchStores/s/operations/o", "response": {"usageMetadata": {"totalTokenCount": 1000}}}
    with Player([said(told), said({"name": "x"})]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post("/v1beta/fileSearchStores/s:importFile", {"fileName": "files/f"})
        proxy.post("/v1beta/fileSearchStores/s:importFile", {"fileName": "files/f"})
    untold, imported = proxy.records()
    assert (imported.record.operation, imported.record.tokens.input, imported.cost_pico) == (
        "import_file",
        1000,
        150_000_000,
    )
    assert (untold.record.status, untold.record.anomalies) == ("unknown", ("unmetered_surface",))


def test_a_job_whose_results_go_elsewhere_is_unknown_and_names_its_model(recording):
    job = {"name": "projects/p/locations/l/batchPredictionJobs/7", "state": "JOB_STATE_PENDING"}
    with Player([said(job)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post(
            "/v1beta1/projects/p/locations/us-central1/batchPredictionJobs",
            {"model": "publishers/google/models/gemini-2.5-flash", "displayName": "x"},
        )
    (stored,) = proxy.records()
    record = stored.record
    assert (record.operation, record.status, record.model) == ("batch_prediction", "unknown", "gemini-2.5-flash")
    assert (record.project, record.location, record.anomalies) == ("p", "us-central1", ("unmetered_surface",))


def test_speech_is_metered_by_the_modality_of_its_output(recording):
    usage = {
        "promptTokenCount": 9,
        "candidatesTokenCount": 100,
        "totalTokenCount": 109,
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}],
    }
    audio = {"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "QUJD"}}
    answer = {"candidates": [{"content": {"parts": [audio]}, "finishReason": "STOP"}], "usageMetadata": usage}
    with Player([said(answer)]).serving() as player, (proxy := recording(player.url)).running():
        proxy.post("/v1beta/models/gemini-2.5-flash-preview-tts:generateContent")
    (stored,) = proxy.records()
    assert (stored.record.status, stored.record.tokens.output) == ("complete", 100)
    if stored.priced:
        assert stored.cost_pico
    else:
        assert "tts" in (stored.unpriced_reason or "")


PROGRAM = """
import time
from google import genai
from google.genai import types
gemini = genai.Client()
print(len(gemini.models.embed_content(model="gemini-embedding-001", contents=["one", "two words"]).embeddings))
vertex = genai.Client(vertexai=True, api_key="an-ordinary-key")
made = vertex.models.generate_images(
    model="imagen-4.0-generate-001", prompt="a cat", config=types.GenerateImagesConfig(number_of_images=2))
print(len(made.generated_images))
film = vertex.models.generate_videos(
    model="veo-3.0-generate-001", prompt="a cat", config=types.GenerateVideosConfig(duration_seconds=6))
polls = 0
while not film.done:
    film, polls = vertex.operations.get(film), polls + 1
print(len(film.response.generated_videos), polls)
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    return clean(GEMINI_API_KEY="an-ordinary-key", HOME=str(folder), NO_COLOR="1", **more)


def of(records: list[LedgerRecord]) -> dict[str, LedgerRecord]:
    return {stored.record.operation: stored for stored in records}


def test_a_program_of_the_python_sdk_makes_one_record_for_each_thing_it_made(recording, tmp_path):
    with simulator_in_thread(Options(seed=3, polls=2)) as url, (proxy := recording(url, vertex_upstream=url)).running():
        led = environment(tmp_path, GOOGLE_GEMINI_BASE_URL=proxy.url, GOOGLE_VERTEX_BASE_URL=proxy.url)
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=led, capture_output=True, text=True, timeout=90, check=False
        )
        assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["2", "2", "1", "3"]
    records = of(proxy.records())
    assert {name: stored.record.status for name, stored in records.items()} == dict.fromkeys(
        ("embed_content", "generate_images", "generate_videos"), "complete"
    )
    assert records["embed_content"].record.tokens.input == 3


def test_a_film_and_a_picture_break_a_small_budget(tmp_path):
    """The program that once passed with $0.00: its cost is over the budget, or it is not known."""
    data = tmp_path / "data"
    with simulator_in_thread(Options(seed=3)) as url:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "gembill",
                "run",
                "--budget",
                "0.01",
                "--strict",
                "--",
                sys.executable,
                "-c",
                PROGRAM,
            ],
            env=environment(
                tmp_path,
                GEMBILL_DATA_DIR=str(data),
                GEMBILL_UPSTREAM=url,
                GEMBILL_VERTEX_UPSTREAM=url,
                PYTHONPATH=str(Path(__file__).parents[2]),
            ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ended.returncode in (10, 12), ended.stderr
    assert "PASS" not in ended.stderr
    ledger = open_ledger(f"sqlite:///{data / 'ledger.db'}", read_only=True)
    try:
        assert len(list(read_records(ledger, Selection()))) == 3
    finally:
        ledger.close()
