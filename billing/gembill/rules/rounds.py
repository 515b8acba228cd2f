"""What each round of the tool loop read again.

Owns: the law that a round re-reads the prompt, the code, the thoughts and the results so far (wire.md 9, laws 5 to 8),
and an estimate where the answer does not show its rounds. Not here: fields of the wire and prices.
Invariant: shown rounds carry the reported difference, never another number; estimated ones add up to the reported
count; counts that fall between the chunks of a stream (gemini-3, law 13) are not rounds that were shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gembill.event import Part
from gembill.wire.token_counts import Usage

_PER_RESULT = 16  # tokens that frame a result; the recordings need 1 to 4
_PER_CHAR = 2  # tokens of one character at most: digits take one each, rare scripts more than one


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One time the model read on after code had run. All counts in tokens.

    `intermediate` is what the round re-read: reported, or `estimated`. `expected` is what the law knows exactly:
    prompt, code and thoughts so far; the results so far may be up to `results` more, because the wire counts none.
    """

    intermediate: int
    expected: int
    results: int
    estimated: bool = False
    tolerance: int = 0  # the code that ran inside a thought is not re-read (wire.md 1.4 b)

    @property
    def explained(self) -> bool:
        """Whether the law can explain the count."""
        return self.estimated or self.expected - self.tolerance <= self.intermediate <= self.expected + self.results


def rounds(outline: Sequence[Part], snapshots: Sequence[tuple[int, Usage]], usage: Usage) -> tuple[Round, ...]:
    """The rounds of an answer: from its running counts, `(parts so far, usage)`, else estimated; () if no code ran."""
    results = [place for place, part in enumerate(outline) if part.kind == "result"]
    if not results or not usage.tool_use or usage.prompt is None:
        return ()
    searched = any(part.tool_call_as_code for part in outline)  # what a search adds, the law does not tell
    shown = () if searched else _shown(outline, snapshots)
    if shown and sum(one.intermediate for one in shown) == usage.tool_use:
        return shown
    return _estimated(outline, results, usage)


def tells_rounds(snapshots: Sequence[object], usage: Usage) -> bool:
    """Whether an answer may show rounds that the law does not explain: estimated ones always agree with it."""
    return bool(usage.tool_use) and len(snapshots) > 1


def _shown(outline: Sequence[Part], snapshots: Sequence[tuple[int, Usage]]) -> tuple[Round, ...]:
    """A round for each rise of the count; () where the counts are not cumulative, or the first state is not there."""
    shown: list[Round] = []
    for (after, old), (_, new) in pairwise(snapshots):
        if _falls(old, new):
            return ()
        risen = (new.tool_use or 0) - (old.tool_use or 0)
        if risen:
            thought = sum(1 for part in outline[:after] if part.kind == "code" and part.thought)
            shown.append(
                Round(
                    intermediate=risen,
                    expected=(old.prompt or 0) + (old.candidates or 0) + (old.thoughts or 0),
                    results=_results(outline[:after]),
                    tolerance=(old.candidates or 0) if thought else 0,
                )
            )
    return tuple(shown)


def _falls(old: Usage, new: Usage) -> bool:
    pairs = zip(_counts(old), _counts(new), strict=True)
    return old.prompt is None or old.prompt != new.prompt or any(after < before for before, after in pairs)


def _counts(usage: Usage) -> tuple[int, int, int]:
    return usage.candidates or 0, usage.thoughts or 0, usage.tool_use or 0


def _results(outline: Sequence[Part]) -> int:
    """The most tokens that the results of an outline can be."""
    return sum(_PER_CHAR * part.chars + _PER_RESULT for part in outline if part.kind == "result")


def _estimated(outline: Sequence[Part], results: Sequence[int], usage: Usage) -> tuple[Round, ...]:
    """The reported count, shared out by what the law lets each round read: the output grows evenly over the rounds."""
    output, steps = (usage.candidates or 0) + (usage.thoughts or 0), len(results) + 1
    expected = [(usage.prompt or 0) + output * number // steps for number in range(1, steps)]
    weights = [size + _results(outline[: place + 1]) // 4 + 1 for size, place in zip(expected, results, strict=True)]
    total, estimated, given = sum(weights), [], 0
    for number, (size, place) in enumerate(zip(expected, results, strict=True), 1):
        upto = (usage.tool_use or 0) * sum(weights[:number]) // total
        share, given = upto - given, upto
        limit = _results(outline[: place + 1])
        estimated.append(Round(intermediate=share, expected=size, results=limit, estimated=True))
    return tuple(estimated)
