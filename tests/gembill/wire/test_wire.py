"""The recorded traffic of generateContent: its numbers, and that every field of it is read or knowingly ignored."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gembill.event import Ending, Event, RequestFacts
from gembill.model import Api, Operation, Record, Status
from gembill.rules.metering import meter
from gembill.wire.generate_content import observe
from gembill.wire.observation import Observation

SURFACES = ("generateContent", "streamGenerateContent")
TABLE = ("prompt", "cached", "toolUse", "candidates", "thoughts", "total")
WIRE = (
    "promptTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "totalTokenCount",
)
UNCOUNTED = {  # cases to know before a replay (wire.md 1.9): their state where it is not complete
    "241": Status.UNKNOWN, "285": Status.UNKNOWN, "253": Status.PARTIAL,
}  # fmt: skip
READ = {
    "top": {"candidates", "usageMetadata", "modelVersion", "responseId", "promptFeedback", "error"},
    "usage": {*WIRE, "promptTokensDetails", "cacheTokensDetails", "toolUsePromptTokensDetails", "candidatesTokensDetails", "serviceTier", "trafficType"},
    "candidate": {"content", "finishReason", "index", "groundingMetadata"},
    "part": {"text", "thought", "executableCode", "codeExecutionResult", "inlineData", "functionCall", "functionResponse", "toolCall", "toolResponse", "fileData"},
}  # fmt: skip
IGNORED = {
    "top": frozenset((
        "createTime",  # the server's clock; ours decides the period
        "turnToken",  # opaque state for the next request
        "this",  # of case 285, a document that is not an answer at all
    )),
    "usage": frozenset((
        "billablePromptUsage",  # characters and seconds of old Vertex prices; prices go by tokens
    )),
    "candidate": frozenset((
        "safetyRatings", "avgLogprobs",  # what was thought of the answer, not what it cost
        "finishMessage",  # text
        "urlContextMetadata",  # which pages were read; their tokens are in the tool-use count, and they have no fee
    )),
    "part": frozenset((
        "thoughtSignature",  # opaque, fed back by clients; its tokens are in the counts
    )),
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> Path:
    folder = os.environ.get("GEMBILL_CORPUS")
    if not folder:
        pytest.skip("GEMBILL_CORPUS names no folder of recorded traffic: THE RECORDED CASES ARE NOT CHECKED")
    return Path(folder)


def cases(corpus: Path) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """Name, case and documents of each recorded generateContent or streamGenerateContent."""
    for path in sorted(corpus.glob("*.json")):
        case = json.loads(path.read_text())
        if case["surface"] in SURFACES:
            documents = [case["response"]] if "response" in case else [chunk["data"] for chunk in case["chunks"]]
            yield path.stem, case, documents


def table(corpus: Path) -> dict[str, dict[str, str]]:
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in (corpus / "INDEX.md").read_text().splitlines()
    ]
    names = next(cells for cells in lines if cells[:2] == ["case", "surface"])
    rows = [dict(zip(names, cells, strict=True)) for cells in lines if len(cells) == len(names)]
    return {row["case"]: row for row in rows if row["surface"] in SURFACES}


def metered(case: dict[str, Any], documents: list[Any]) -> Record:
    observation = Observation()
    for document in documents:
        observe(json.dumps(document).encode(), observation)
    event = Event(
        id="0199a0b0-0000-7000-8000-000000000001", occurred_us=0, api=Api.GEMINI, operation=Operation.GENERATE_CONTENT,
        asked=RequestFacts(model="asked"), ending=Ending.FINISHED, http_status=case["status"] or 200, seen=observation.response_facts(),
    )  # fmt: skip
    return meter(msgspec.json.decode(msgspec.json.encode(event), type=Event), 1)


def test_the_recorded_cases_give_the_numbers_of_their_table(corpus):
    rows = table(corpus)
    recorded = list(cases(corpus))
    assert {name for name, _, _ in recorded} == set(rows)
    assert len(rows) > 90
    for name, case, documents in recorded:
        row, record = rows[name], metered(case, documents)
        said = {column: int(row[column]) if row[column] else None for column in TABLE}
        tokens = record.tokens
        assert record.status is UNCOUNTED.get(name[:3], Status.COMPLETE), name
        assert (tokens.input, tokens.total) == (said["prompt"], said["total"]), name
        if said["prompt"] is not None:
            zero = {column: number or 0 for column, number in said.items()}
            assert (tokens.intermediate, tokens.cached, tokens.thinking) == (
                zero["toolUse"],
                zero["cached"],
                zero["thoughts"],
            ), name
            assert tokens.output == zero["candidates"] + zero["thoughts"], name
            assert ("total_mismatch" in record.anomalies) == (row["sum"].startswith("NO")), name
        elif said["candidates"] is not None:
            assert tokens.output == said["candidates"] + (said["thoughts"] or 0), name
        assert record.model == (row["model"] or "asked"), name
        assert len(record.executions) == int(row["runs"]), name
        assert record.failed == int(row["failed"]), name


def test_every_field_of_the_recorded_answers_is_read_or_knowingly_ignored(corpus):
    shown: dict[str, set[str]] = {name: set() for name in READ}
    for _, _, documents in cases(corpus):
        for document in documents:
            shown["top"] |= set(document)
            shown["usage"] |= set(document.get("usageMetadata") or {})
            for candidate in document.get("candidates") or []:
                shown["candidate"] |= set(candidate)
                for part in (candidate.get("content") or {}).get("parts") or []:
                    shown["part"] |= set(part)
    for place, names in shown.items():
        assert names - READ[place] - IGNORED[place] == set(), place
        assert names >= IGNORED[place], f"{place}: ignored names that are not in the recordings"
