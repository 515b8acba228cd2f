"""From a line of a file to its money: other surfaces, other spellings and other forms of the same answer."""

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import count

import pytest

from gembill.capture.fingerprint import Fingerprint
from gembill.importing import ImportDefaults, Importer, ImportItem
from gembill.ledger import Ledger, LedgerRecord, Selection, open_ledger, read_records
from gembill.model import Status
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import Policies

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"


SECONDS = count()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('importing') / 'ledger.db'}")
    yield opened
    opened.close()


def imported(ledger: Ledger, *, path: str = PATH, **more: object) -> LedgerRecord:
    """The record of a line with the members given, which has a time of its own."""
    second = next(SECONDS)
    when = f"2026-11-21T12:{second // 60:02}:{second % 60:02}Z"
    whole = {"path": path, "status": 200, "occurred_at": when, "labels": {"second": str(second)}} | more
    terms = PricingTerms(bundled(), Policies())
    importer = Importer(ledger, Fingerprint(b"a secret"), terms, assumed=ImportDefaults(), say=pytest.fail)
    importer.take(ImportItem("f, line 1", json.dumps(whole).encode()))
    importer.finish()
    records = [one for one in read_records(ledger, Selection()) if one.record.labels == {"second": str(second)}]
    (stored,) = records
    return stored


def details(**kinds: int) -> list[dict[str, object]]:
    return [{"modality": kind, "tokenCount": count} for kind, count in kinds.items()]


MILLION = Decimal(1_000_000)
EMBEDDING = "/v1beta/models/gemini-embedding-2:embedContent"
CHAT = "/v1beta/openai/chat/completions"
PICTURES = "/v1beta/openai/images/generations"
VERTEX = "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent"


def counted(prompt: int, candidates: int = 0, **more: object) -> dict[str, object]:
    counts = {"promptTokenCount": prompt, "candidatesTokenCount": candidates, "totalTokenCount": prompt + candidates}
    return {"modelVersion": "gemini-2.5-flash", "usageMetadata": counts | more}


@pytest.mark.parametrize(
    ("path", "answer", "dollars", "anomalies"),
    [
        (  # embeddings spell it without the s: text at 0.20, pictures at 0.45
            EMBEDDING,
            {"usageMetadata": {"promptTokenCount": 260, "promptTokenDetails": details(TEXT=2, IMAGE=258)}},
            (2 * Decimal("0.20") + 258 * Decimal("0.45")) / MILLION,
            (),
        ),
        (  # sound at 6.50
            EMBEDDING.replace("embedContent", "batchEmbedContents"),
            {"usageMetadata": {"promptTokenCount": 100, "promptTokenDetails": details(AUDIO=100)}},
            100 * Decimal("6.50") / MILLION,
            (),
        ),
        (  # OpenAI's words: sound at 1.00, text at 0.30, out at 2.50
            CHAT,
            {
                "model": "gemini-2.5-flash",
                "usage": {
                    "prompt_tokens": 100,
                    "completion_tokens": 50,
                    "total_tokens": 150,
                    "prompt_tokens_details": {"audio_tokens": 80},
                },
            },
            (20 * Decimal("0.30") + 80 * Decimal("1.00") + 50 * Decimal("2.50")) / MILLION,
            (),
        ),
        (  # a model that counts its pictures in tokens, by OpenAI's endpoint: 0.30, and 30 for those of pictures
            PICTURES,
            {
                "data": [{"b64_json": "QUJD"}],
                "usage": {
                    "input_tokens": 10,
                    "output_tokens": 1295,
                    "total_tokens": 1305,
                    "output_tokens_details": {"image_tokens": 1290},
                },
            },
            (10 * Decimal("0.30") + 1290 * Decimal(30) + 5 * Decimal("2.50")) / MILLION,
            (),
        ),
        (  # which of them are a picture's is not told: those that cost more are missed, and that is said
            PICTURES,
            {
                "data": [{"b64_json": "QUJD"}],
                "usage": {"input_tokens": 10, "output_tokens": 1290, "total_tokens": 1300},
            },
            (10 * Decimal("0.30") + 1290 * Decimal("2.50")) / MILLION,
            ("image_tokens_unknown",),
        ),
        (  # half price
            VERTEX,
            counted(1000, 10, trafficType="ON_DEMAND_FLEX"),
            (1000 * Decimal("0.30") + 10 * Decimal("2.50")) / 2 / MILLION,
            (),
        ),
        (VERTEX, counted(1000, 10, trafficType="ON_DEMAND_NEXT"), None, ()),
        (  # as an SDK writes it: 40 cached at 0.03, 60 and 20 of tools at 0.30, 10 and 5 of thinking at 2.50
            PATH,
            {
                "model_version": "gemini-2.5-flash",
                "usage_metadata": {
                    "prompt_token_count": 100,
                    "cached_content_token_count": 40,
                    "tool_use_prompt_token_count": 20,
                    "candidates_token_count": 10,
                    "thoughts_token_count": 5,
                    "total_token_count": 135,
                },
            },
            (40 * Decimal("0.03") + 80 * Decimal("0.30") + 15 * Decimal("2.50")) / MILLION,
            (),
        ),
        (  # of 800 cached at most 100 are text (0.03), so 700 are sound (0.10), and 200 of sound are fresh (1.00)
            PATH,
            counted(1000, 10, cachedContentTokenCount=800, promptTokensDetails=details(AUDIO=900, TEXT=100)),
            (100 * Decimal("0.03") + 700 * Decimal("0.10") + 200 * Decimal("1.00") + 10 * Decimal("2.50")) / MILLION,
            ("details_mismatch",),
        ),
        (  # more tokens of a picture than were counted: all that were counted are those of a picture, at 120
            "/v1beta/models/gemini-3-pro-image:generateContent",
            counted(33, 1000, candidatesTokensDetails=details(IMAGE=1120)) | {"modelVersion": "gemini-3-pro-image"},
            (33 * Decimal("2.00") + 1000 * Decimal(120)) / MILLION,
            ("details_mismatch",),
        ),
    ],
)
def test_what_answers_of_other_surfaces_say_costs_what_arithmetic_says(path, answer, dollars, anomalies, ledger):
    asked = {"model": "gemini-2.5-flash-image" if path == PICTURES else "gemini-2.5-flash"}
    stored = imported(ledger, path=path, response=answer, request=asked)
    assert stored.cost_pico == (None if dollars is None else dollars * 10**12)
    assert stored.record.anomalies == anomalies


STREAM = PATH.replace("generateContent", "streamGenerateContent")
CODE = {"executableCode": {"code": "1"}}
RESULT = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
RUN = {"candidates": [{"content": {"parts": [CODE, RESULT]}}]} | counted(100)
LAST = {"candidates": [{"content": {"parts": [{"text": "\u2028"}]}, "finishReason": "STOP"}]} | counted(
    100, 10, thoughtsTokenCount=5, toolUsePromptTokenCount=101, totalTokenCount=216
)


def reversed_keys(said: object) -> object:
    if isinstance(said, list):
        return [reversed_keys(inner) for inner in said]
    return {name: reversed_keys(said[name]) for name in reversed(said)} if isinstance(said, dict) else said


def with_nulls(said: object) -> object:
    if isinstance(said, list):
        return [with_nulls(inner) for inner in said]
    names = ("trafficType", "cachedContentTokenCount", "error", "groundingMetadata", "inlineData", "usageMetadata")
    return dict.fromkeys(names) | {name: with_nulls(said[name]) for name in said} if isinstance(said, dict) else said


def with_news(said: object) -> object:
    if isinstance(said, list):
        return [with_news(inner) for inner in said]
    new = {"zzNew": {"promptTokenCount": 9}, "newTokenCount": "x"}
    return new | {name: with_news(said[name]) for name in said} if isinstance(said, dict) else said


def events(*documents: object, end: str = "\r\n", data: str = "data: ", indent: int | None = None) -> str:
    texts = [json.dumps(document, indent=indent) for document in documents]
    return "".join("".join(data + line + end for line in text.split("\n")) + end for text in texts)


FORMS = {
    "lines end with CRLF": events(RUN, LAST),
    "lines end with CR": events(RUN, LAST, end="\r"),
    "no space": events(RUN, LAST, end="\n", data="data:"),
    "data of many lines": events(RUN, LAST, indent=1),
    "other fields and comments": events(RUN, LAST, end="\n", data=": c\nid: 7\nretry: 3\ndata: "),
    "a mark of byte order": "\ufeff\n\n" + events(RUN, LAST),
    "no last line end": events(RUN, LAST, end="\n").rstrip(),
    "a list": json.dumps([RUN, LAST]),
    "a list with a mark, not closed": "\ufeff\n" + json.dumps([RUN, LAST], indent=1).rstrip("]\n"),
    "other order of keys": events(reversed_keys(RUN), reversed_keys(LAST)),
    "nulls": events(with_nulls(RUN), with_nulls(LAST)),
    "what is new": events(with_news(RUN), with_news(LAST)),
    "the last chunk twice": events(RUN, LAST, LAST),
    "usage in the last chunk only": events({name: RUN[name] for name in ("candidates", "modelVersion")}, LAST),
    "usage in a chunk of its own": events(
        RUN, {"candidates": LAST["candidates"]}, counted(100) | LAST | {"candidates": []}
    ),
    "empty chunks at the end": events(RUN, LAST, {"candidates": []}, {"usageMetadata": {}}, {"usageMetadata": None}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_is_the_same_call_in_every_form(form, ledger):
    stored = imported(ledger, path=STREAM, response=FORMS[form])
    record = stored.record
    tokens = record.tokens
    assert (tokens.input, tokens.intermediate, tokens.output, tokens.thinking, tokens.total) == (100, 101, 15, 5, 216)
    assert (record.status, record.finish_reason, len(record.executions), record.anomalies) == (
        Status.COMPLETE,
        "STOP",
        1,
        (),
    )
    assert stored.cost_pico == 201 * 300_000 + 15 * 2_500_000


def test_code_that_an_sdk_asked_for_below_config_is_an_execution(ledger):
    parts = [{"executable_code": {"code": "1"}}, {"code_execution_result": {"outcome": "OUTCOME_FAILED"}}]
    answer = {
        "candidates": [{"content": {"parts": parts}}],
        "model_version": "gemini-2.5-flash",
        "usage_metadata": {"prompt_token_count": 100, "tool_use_prompt_token_count": 20, "total_token_count": 120},
    }
    asked = {"contents": "x", "config": {"tools": [{"code_execution": {}}], "service_tier": "flex"}}
    stored = imported(ledger, request=asked, response=answer)
    assert (stored.record.declared, len(stored.record.executions), stored.record.failed) == (True, 1, 1)
    assert stored.cost_pico == 120 * 300_000 // 2
