"""Runs of generated code, read from the outline of an answer.

Owns: the pairing of code with its result, for every dialect alike, and what only looks like code. Not here: fields of
the wire; a dialect says which of its words means which outcome. Invariant: one execution for each result, and one with
an unknown outcome for each code without a result (wire.md 3).
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from gembill.event import Part
from gembill.model import Execution, Outcome
from gembill.wire.json_text import is_elided

_TOOL_CALL = re.compile(r"\s*(?:print\()?(concise_search|default_api)\b")
_DIGITS = re.compile(r"\d")


def tool_call_as_code(code: str) -> str | None:
    """The search or function whose call is shown as code; None where it is code (wire.md 1.4 e)."""
    match = _TOOL_CALL.match(code)
    return match[1] if match else None


def digest(text: str, before: str | None = None) -> str:
    """A digest of a text, 16 hex digits; `before` is the digest of the text in front of it."""
    return sha256(((before or "") + text).encode("utf-8", "replace")).hexdigest()[:16]


def digits(text: str) -> int:
    """How many digits a result has; 0 if its text was elided."""
    if is_elided(text):
        return 0
    if text.isascii():
        return len(text) - len(text.encode().translate(None, b"0123456789"))
    return len(_DIGITS.findall(text))


def executions(outline: Sequence[Part], outcomes: Mapping[str | int, Outcome]) -> tuple[Execution, ...]:
    """The runs an outline shows; `outcomes` reads the dialect's words.

    A result belongs to the code of the same id, else to the code before it in its candidate. A tool call shown as code,
    and its result, are not executions.
    """
    runs: list[Execution] = []
    waiting: dict[int, list[Part]] = {}
    for part in outline:
        if part.kind == "code":
            waiting.setdefault(part.candidate, []).append(part)
        elif part.kind == "result":
            code = _partner(waiting.get(part.candidate, []), part)
            if code is None or code.tool_call_as_code is None:
                outcome = outcomes.get(part.outcome, Outcome.UNKNOWN) if part.outcome else Outcome.UNKNOWN
                runs.append(_execution(code, part, outcome))
    for queue in waiting.values():
        runs += [_execution(code, None, Outcome.UNKNOWN) for code in queue if code.tool_call_as_code is None]
    return tuple(runs)


def _partner(queue: list[Part], result: Part) -> Part | None:
    for place, code in enumerate(queue):
        if code.id is not None and code.id == result.id:
            return queue.pop(place)
    for place in reversed(range(len(queue))):
        if queue[place].id is None or result.id is None:
            return queue.pop(place)
    return None


def _execution(code: Part | None, result: Part | None, outcome: Outcome) -> Execution:
    return Execution(
        outcome=outcome,
        part_id=code.id if code else result.id if result else None,
        language=str(code.language).lower() if code and code.language else None,
        code_chars=code.chars if code else None,
        result_chars=result.chars if result else None,
        result_digits=result.digits if result else 0,
    )
