"""The corpus of recorded answers: its cases, and the numbers its own index gives for them.

The folder is named by GEMBILL_CORPUS; tests that need it are skipped aloud where it is not.
"""

import json
import os
import re
from pathlib import Path

import pytest

_NAMED = os.environ.get("GEMBILL_CORPUS", "")
FOLDER = Path(_NAMED or "GEMBILL_CORPUS")
needed = pytest.mark.skipif(
    not (_NAMED and FOLDER.is_dir()), reason="GEMBILL_CORPUS names no folder of recorded answers"
)

STATES = {"241": "unknown", "285": "unknown", "253": "partial"}  # named at the top of the index; others are complete


def cases(*surfaces: str) -> dict[str, dict]:
    """The cases of these surfaces, by name."""
    recorded = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    return {name: case for name, case in recorded.items() if case["surface"] in surfaces}


def rows() -> dict[str, list[str]]:
    """The rows of the index, by case."""
    lines = (FOLDER / "INDEX.md").read_text().split("## Cases")[1].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row for row in cells}


def counts(row: list[str]) -> dict[str, int | None]:
    """The tokens and runs of a row, as a record has them: with a prompt count, what is absent is 0."""
    prompt, _, tool_use, candidates, thoughts = row[4:9]
    output = int(candidates or 0) + int(thoughts or 0)
    return {
        "input": int(prompt) if prompt else None,
        "intermediate": int(tool_use or 0) if prompt else None,
        "output": output if prompt or candidates else None,
        "executions": int(row[11]),
        "failed": int(row[12]),
    }


def shown(record: dict) -> dict[str, int | None]:
    """The same numbers of a record of `gembill records --format json`."""
    tokens, runs = record["tokens"], record["code_execution"]
    named = {name: tokens[name] for name in ("input", "intermediate", "output")}
    return named | {"executions": runs["executions"], "failed": runs["failed"]}


def line(name: str, case: dict, occurred_at: str) -> dict:
    """A case as a line of `gembill import`. One error has no path; its words say that it was generateContent."""
    path = case.get("path") or "/v1beta/models/gemini-2.5-flash:generateContent"
    method = "GET" if re.search(r"/(interactions|batches)/[^/:]+$", path) else "POST"
    body = {"chunks": case["chunks"]} if case.get("chunks") is not None else {"response": case.get("response")}
    return body | {
        "occurred_at": occurred_at, "method": method, "path": path, "request": case.get("request"),
        "status": case.get("status"), "response_headers": case.get("response_headers"), "labels": {"case": name},
    }  # fmt: skip
