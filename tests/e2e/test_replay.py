"""Recorded answers of the real API, played through the proxy: counts exact, bytes identical, however they are cut."""

import gzip
import itertools
import json
import os
import random
from pathlib import Path

import pytest

from tests.e2e.player import Player, Reply

CORPUS = os.environ.get("GEMBILL_CORPUS")
SURFACES = ("generateContent", "streamGenerateContent")
pytestmark = pytest.mark.skipif(not CORPUS, reason="GEMBILL_CORPUS names no folder of recorded answers")
STATES = {"241": "unknown", "285": "unknown", "253": "partial"}
STAND_IN = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"


def cases() -> list[tuple[str, dict]]:
    files = sorted(Path(CORPUS or "").glob("*.json"))
    found = [(path.stem, json.loads(path.read_text())) for path in files]
    return [(name, case) for name, case in found if case["surface"] in SURFACES]


def table() -> dict[str, list[str]]:
    """The rows of the corpus's own index, by case."""
    lines = (Path(CORPUS or "") / "INDEX.md").read_text().split("## Cases")[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row for row in rows}


def wire(case: dict) -> tuple[bytes, str]:
    """The answer's body and content type, framed as its path asked for it."""
    chunks = case.get("chunks")
    if chunks is None:
        return json.dumps(case["response"], indent=1).encode(), "application/json; charset=UTF-8"
    texts = [d if isinstance(d := chunk["data"], str) else json.dumps(d, ensure_ascii=False) for chunk in chunks]
    if "alt=sse" in case["path"]:
        return "".join(f"data: {text}\r\n\r\n" for text in texts).encode(), "text/event-stream"
    return ("[" + "\r\n,".join(texts) + "\r\n]").encode(), "application/json; charset=UTF-8"


def reply(case: dict, manner: str, chance: random.Random) -> Reply:
    body, kind = wire(case)
    headers = [("Content-Type", kind)]
    if "gzip" in manner:
        body = gzip.compress(body)
        headers.append(("Content-Encoding", "gzip"))
    edges = sorted({0, len(body), *(chance.randrange(len(body) + 1) for _ in range(8 if "cut" in manner else 0))})
    pieces = [body[a:b] for a, b in itertools.pairwise(edges)]
    streamed = case.get("chunks") is not None or "gzip" in manner
    return Reply(
        pieces,
        case.get("status") or 200,
        headers,
        "chunked" if streamed else "length",
        0.0005 if "cut" in manner else 0,
    )


def number(cell: str) -> int:
    return int(cell) if cell else 0


def expected(row: list[str]) -> dict[str, int | None]:
    prompt, _, tool_use, candidates, thoughts = row[4:9]
    known = bool(prompt)
    return {
        "input": int(prompt) if known else None,
        "intermediate": number(tool_use) if known else None,
        "output": number(candidates) + number(thoughts) if known or candidates else None,
        "executions": int(row[11]),
        "failed": int(row[12]),
    }


@pytest.mark.parametrize("manner", ["plain", "cut", "gzip", "gzip and cut"])
def test_every_recorded_answer_gives_the_numbers_of_its_row(manner, recording):
    chosen, rows, chance = cases(), table(), random.Random(manner)
    replies = [reply(case, manner, chance) for _, case in chosen]
    assert len(chosen) > 90
    with Player(list(replies)).serving() as player, (proxy := recording(player.url)).running():
        for (name, case), prepared in zip(chosen, replies, strict=True):
            status, body = proxy.post(case.get("path") or STAND_IN, case.get("request"), {"x-gembill-label-case": name})
            assert (status, body) == (prepared.status, prepared.body), name
    found = {stored.record.labels["case"]: stored.record for stored in proxy.records()}
    for name, _ in chosen:
        record, tokens = found[name], found[name].tokens
        got = {
            "input": tokens.input, "intermediate": tokens.intermediate, "output": tokens.output,
            "executions": len(record.executions), "failed": record.failed,
        }  # fmt: skip
        assert got == expected(rows[name]), name
        assert record.status == STATES.get(name[:3], "complete"), name
