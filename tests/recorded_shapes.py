"""Recorded answers reduced to bare facts: `GEMBILL_CORPUS=FOLDER python -m tests.recorded_shapes` writes the file again.

Owns: `tests/data/recorded.jsonl`, one row for each recorded case: which case of the corpus it was (its name there, the
repository it came from, its grade), the usage objects as reported, the kinds of its parts or steps, and the split that
the corpus's own index gives. Not here: the check of it (`tests/e2e/test_recorded_shapes.py`). Invariant: no text of a
prompt, an answer or code, no id and no key is in a row, only numbers, field names and words of an enumeration.

A part is written as its field's name and what matters of it: `executableCode #1` has the first id of its case,
`codeExecutionResult OUTCOME_OK` ended well, `text thought` is a summary of thoughts. A step of an interaction is its type
in the same way, with `error` where `is_error` is true. Live sessions are left out: they are not metered.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e import corpus

FILE = Path(__file__).parent / "data" / "recorded.jsonl"
GENERATED = ("generateContent", "streamGenerateContent", "batch")
INTERACTIONS = ("interactions", "interactions-stream")
UNCOUNTED = ("countTokens", "cachedContents")
SURFACES = (*GENERATED, *INTERACTIONS, *UNCOUNTED, "error")

WORD = re.compile(r"[A-Za-z][\w.-]{0,47}")
_COUNTS = ("Tokens", "Details", "Count", "usageMetadata")
_KINDS = (
    "executableCode", "codeExecutionResult", "functionCall", "functionResponse", "inlineData", "fileData",
    "toolCall", "toolResponse", "text",
)  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """The rows of the file, in the order of the cases."""
    return [json.loads(line) for line in FILE.read_text().splitlines()]


def reduced() -> Iterator[dict[str, Any]]:
    """The same rows out of the corpus."""
    index = corpus.rows()
    for name, case in corpus.cases(*SURFACES).items():
        ids = _Ids()
        shown = [_document(document, case["surface"], ids) for document in _documents(case)]
        yield {
            "case": name,
            "origin": case["source"].get("repo") or "known by the text index alone",
            "grade": case["grade"],
            "surface": case["surface"],
            "model": index[name][3],
            "answer": shown,
            "expected": _expected(name, case, index[name], shown),
        }


def _documents(case: dict[str, Any]) -> list[Any]:
    if case.get("chunks") is not None:
        return [chunk["data"] for chunk in case["chunks"] if isinstance(chunk["data"], dict)]
    answer = case["response"]
    if case["surface"] != "batch":
        return [answer]
    listed = answer.get("response", {}).get("inlinedResponses", {}).get("inlinedResponses", [])
    return [entry["response"] for entry in listed]


def _expected(name: str, case: dict[str, Any], row: list[str], shown: list[Any]) -> dict[str, Any] | None:
    """The split as the index states it; None where no call is recorded. Of a batch it is that of the last entry."""
    if case["surface"] == "error":
        return {"status": "error", "http": case["status"]}
    if case["surface"] in UNCOUNTED or not shown:
        return None
    prompt, cached, _, _, thoughts, total = row[4:10]
    known = {"cached": int(cached or 0), "thinking": int(thoughts or 0)} if prompt else {}
    counted = {"total": int(total) if total else None} | known | corpus.counts(row)
    odd = row[10].startswith("NO")
    return counted | {"status": corpus.STATES.get(name[:3], "complete"), "total_mismatch": odd}


class _Ids(dict[str, str]):
    """Numbers in the place of the ids of one case."""

    def __missing__(self, name: str) -> str:
        self[name] = f"#{len(self) + 1}"
        return self[name]


def _document(document: dict[str, Any], surface: str, ids: _Ids) -> dict[str, Any]:
    if "error" in document:
        return {"error": {name: document["error"][name] for name in ("code", "status") if name in document["error"]}}
    if surface in UNCOUNTED:
        return {name: _bare(value) for name, value in document.items() if name.endswith(_COUNTS)}
    return _interaction(document, ids) if surface in INTERACTIONS else _generated(document, ids)


def _generated(document: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    for candidate in document.get("candidates", ()):
        assert not candidate.get("index"), "rows have one candidate"
        parts = [_part(part, ids) for part in candidate.get("content", {}).get("parts", ())]
        shape = {"parts": parts} | ({"finish": candidate["finishReason"]} if "finishReason" in candidate else {})
    if "usageMetadata" in document:
        shape["usage"] = _bare(document["usageMetadata"])
    return shape


def _part(part: dict[str, Any], ids: _Ids) -> str:
    kind = next((kind for kind in _KINDS if kind in part), "other")
    inner = part.get(kind)
    words = [kind, "thought"] if part.get("thought") is True else [kind]
    if kind == "codeExecutionResult":
        words.append(str(inner["outcome"]))
    if kind in ("executableCode", "codeExecutionResult") and "id" in inner:
        words.append(ids[inner["id"]])
    return " ".join(words)


def _interaction(document: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    """A resource, or an event of a stream with what it holds."""
    event = document.get("event_type")
    resource = document.get("interaction", {}) if event else document
    shape: dict[str, Any] = {"event": event} if event else {}
    shape |= {name: document[name] for name in ("index",) if name in document}
    for name in ("step", "delta"):
        if name in document:
            shape[name] = _step(document[name], ids)
    if status := resource.get("status", document.get("status")):
        shape["status"] = status
    if "steps" in resource:
        shape["steps"] = [_step(step, ids) for step in resource["steps"]]
    if "usage" in resource:
        shape["usage"] = _bare(resource["usage"])
    if "usage" in document.get("metadata", {}):
        shape["running"] = _bare(document["metadata"]["usage"])
    return shape


def _step(step: dict[str, Any], ids: _Ids) -> str:
    name = step.get("id", step.get("call_id"))
    words = [step["type"], *([ids[name]] if name else []), *(["error"] if step.get("is_error") is True else [])]
    return " ".join(words)


def _bare(value: Any) -> Any:
    """A value that is known to hold numbers and words; anything else is an error of whoever reduces."""
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_bare(inner) for inner in value]
    assert value is None or isinstance(value, int | float) or WORD.fullmatch(value), value
    return value


def write() -> str:
    """The text of the file, out of the corpus."""
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in reduced())


if __name__ == "__main__":
    FILE.write_text(write())
