"""The priced calls A1 to I1 and R1 to R7 of the price facts cost their reference to the last digit, by `gembill import`.

The reference is arithmetic on the documented prices: input rate for prompt and tool use, cached rate for what was
cached, output rate for candidates and thoughts, own rates for audio in and images out, the tier by the prompt alone.
"""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

MILLION = 1_000_000
FLASH_25 = {"input": "0.30", "cached": "0.03", "audio": "1.00", "output": "2.50"}
FLASH_3 = {"input": "0.50", "cached": "0.05", "audio": "1.00", "output": "3.00"}
PRO_25 = {"input": "1.25", "cached": "0.125", "output": "10"}
PRO_25_LONG = {"input": "2.50", "cached": "0.25", "output": "15"}
PRO_IMAGE = {"input": "2", "output": "12", "image": "120"}
SEARCH = Decimal("0.014")
MODELS = {"2.5-flash": "gemini-2.5-flash", "3-flash": "gemini-3-flash-preview", "2.5-pro": "gemini-2.5-pro"}

# name, model, prices, prompt, candidates, thoughts, tool use, what else, reference in dollars
ROWS = [
    ("A1", "2.5-flash", FLASH_25, 33, 310, 542, 1200, {}, "0.0024999"),
    ("A2", "3-flash", FLASH_3, 33, 310, 542, 1200, {}, "0.0031725"),
    ("A3", "2.5-pro", PRO_25, 33, 310, 542, 1200, {}, "0.01006125"),
    ("A4", "3-flash", FLASH_3, 120, 640, 900, 18329, {}, "0.0138445"),
    ("B1", "3-flash", FLASH_3, 10000, 310, 542, 1200, {"cached": 8000}, "0.0045560"),
    ("C1", "2.5-pro", PRO_25_LONG, 210000, 310, 542, 1200, {}, "0.5407800"),
    ("C3", "2.5-pro", PRO_25, 199500, 310, 542, 1200, {}, "0.2593950"),
    ("D1", "2.5-flash", FLASH_25, 1033, 310, 542, 1200, {"audio": 1000}, "0.0034999"),
    ("E1", "gemini-3-pro-image-preview", PRO_IMAGE, 33, 1430, 200, 0, {"image_out": 1120}, "0.1405860"),
    ("F1", "3-flash", FLASH_3, 1133, 310, 542, 3500, {"tool_image": 2300}, "0.0048725"),
    ("G1", "2.5-flash", FLASH_25, 33, 310, 542, 1200, {"tier": "batch", "times": "0.5"}, "0.00124995"),
    ("G2", "2.5-flash", FLASH_25, 33, 310, 542, 1200, {"tier": "flex", "times": "0.5"}, "0.00124995"),
    ("G3", "2.5-flash", FLASH_25, 33, 310, 542, 1200, {"tier": "priority", "times": "1.8"}, "0.00449982"),
    ("H1", "3-flash", FLASH_3, 33, 310, 542, 1200, {"searches": ["a", "b"]}, "0.0311725"),
    ("I1", "3-flash", FLASH_3, 33, 310, 542, 1200, {"interaction": True}, "0.0031725"),
    ("R1", "2.5-flash", FLASH_25, 32, 341, 103, 720, {}, "0.0013356"),
    ("R2", "2.5-flash", FLASH_25, 32, 441, 240, 764, {"streamed": True}, "0.0019413"),
    ("R3", "2.5-flash", FLASH_25, 75, 414, 117, 573, {}, "0.0015219"),
    ("R4", "3-flash", FLASH_3, 257, 170, 773, 1732, {}, "0.0038235"),
    ("R5", "3-flash", FLASH_3, 893, 106, 1312, 3056, {}, "0.0062285"),
    ("R6", "3-flash", FLASH_3, 147, 108, 168, 360, {"streamed": True}, "0.0010815"),
    ("R7", "3-flash", FLASH_3, 343, 82, 159, 877, {}, "0.0013330"),
]


def details(total: int, **others: int) -> list[dict]:
    """The `...TokensDetails` of a count: text, and what other kinds there are."""
    kinds = {"TEXT": total - sum(others.values())} | others
    return [{"modality": kind, "tokenCount": count} for kind, count in kinds.items() if count]


def usage(row: tuple) -> dict:
    _, _, _, prompt, candidates, thoughts, tool_use, more, _ = row
    audio = {"AUDIO": more["audio"]} if "audio" in more else {}
    counts = {
        "promptTokenCount": prompt,
        "promptTokensDetails": details(prompt, **audio),
        "candidatesTokenCount": candidates,
        "candidatesTokensDetails": details(candidates, IMAGE=more.get("image_out", 0)),
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": prompt + candidates + thoughts + tool_use,
        "serviceTier": more.get("tier", "standard"),
    }
    if tool_use:
        counts["toolUsePromptTokenCount"] = tool_use
        counts["toolUsePromptTokensDetails"] = details(tool_use, IMAGE=more.get("tool_image", 0))
    if "cached" in more:
        counts["cachedContentTokenCount"] = more["cached"]
        counts["cacheTokensDetails"] = details(more["cached"])
    return counts


def answer(row: tuple, model: str) -> dict:
    parts = [
        {"text": "Let me see.", "thought": True},
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"text": "One."},
    ]
    candidate: dict = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    if searches := row[7].get("searches"):
        candidate["groundingMetadata"] = {"webSearchQueries": searches}
    return {"candidates": [candidate], "usageMetadata": usage(row), "modelVersion": model, "responseId": row[0]}


def interaction(row: tuple, model: str) -> dict:
    _, _, _, prompt, candidates, thoughts, tool_use, _, _ = row
    counts = {
        "total_input_tokens": prompt, "total_output_tokens": candidates, "total_thought_tokens": thoughts,
        "total_tool_use_tokens": tool_use, "total_cached_tokens": 0,
        "total_tokens": prompt + candidates + thoughts + tool_use,
    }  # fmt: skip
    steps = [{"type": "model_output", "content": [{"type": "text", "text": "One."}]}]
    return {"id": "v1_I1", "object": "interaction", "model": model, "status": "completed", "steps": steps,
            "usage": counts}  # fmt: skip


def line(row: tuple) -> dict:
    name, short, *_, more, _ = row
    model = MODELS.get(short, short)
    common = {"occurred_at": "2026-11-10T12:00:00Z", "status": 200, "labels": {"row": name}}
    if "interaction" in more:
        return common | {"path": "/v1beta/interactions", "request": {"model": model, "input": "1?"},
                        "response": interaction(row, model)}  # fmt: skip
    method = "streamGenerateContent?alt=sse" if "streamed" in more else "generateContent"
    whole = answer(row, model)
    if "streamed" not in more:
        return common | {"path": f"/v1beta/models/{model}:{method}", "response": whole}
    first = whole | {"usageMetadata": {"promptTokenCount": row[3], "totalTokenCount": row[3]}, "candidates": []}
    return common | {"path": f"/v1beta/models/{model}:{method}", "chunks": [{"data": first}, {"data": whole}]}


def expected(row: tuple) -> Decimal:
    _, _, price, prompt, candidates, thoughts, tool_use, more, _ = row
    rates = {kind: Decimal(text) for kind, text in price.items()}
    cached, audio, image = (more.get(kind, 0) for kind in ("cached", "audio", "image_out"))
    cost = (prompt - cached - audio + tool_use) * rates["input"] + (candidates - image + thoughts) * rates["output"]
    cost += cached * rates.get("cached", 0) + audio * rates.get("audio", 0) + image * rates.get("image", 0)
    return cost * Decimal(more.get("times", "1")) / MILLION + len(more.get("searches", ())) * SEARCH


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> dict[str, dict]:
    """What `gembill records` shows of all rows, by name, after two imports."""
    home = tmp_path_factory.mktemp("priced")
    environment = {"PATH": "", "HOME": str(home), "GEMBILL_DATABASE_URL": f"sqlite:///{home / 'ledger.db'}"}
    (home / "rows.jsonl").write_text("".join(json.dumps(line(row)) + "\n" for row in ROWS))
    for command in (["import", "rows.jsonl"], ["import", "rows.jsonl"], ["records", "--format", "json"]):
        done = gembill(command, home, environment)
        assert done.returncode == 0, done.stderr
    return {record["labels"]["row"]: record for record in json.loads(done.stdout)["records"]}


def gembill(command: list[str], home: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "gembill", *command]
    return subprocess.run(arguments, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_priced_call_costs_its_reference_to_the_last_digit(row, records):
    name, _, _, prompt, candidates, thoughts, tool_use, _, reference = row
    assert expected(row) == Decimal(reference)
    record = records[name]
    assert record["tokens"] == record["tokens"] | {
        "input": prompt, "intermediate": tool_use, "output": candidates + thoughts, "thinking": thoughts,
    }  # fmt: skip
    assert (record["status"], record["priced"], record["anomalies"]) == ("complete", True, [])
    assert Decimal(record["cost_usd"]) == Decimal(reference)
    assert sum(Decimal(part) for part in record["cost"].values()) == Decimal(reference)


def test_every_row_makes_one_record(records):
    assert sorted(records) == sorted(row[0] for row in ROWS)
