"""The laws of token usage: a script's counts, for the whole answer and for each chunk of its stream.

Owns: laws 1, 5, 8, 12, 13, 16 and 18 of wire.md 9 as arithmetic (sources: wire.md 1.2 to 1.4). Not
here: JSON and choices. Invariant: total = prompt + tool use + candidates + thoughts, in every snapshot.

Law 5: each tool round re-reads the prompt and all candidates, thoughts and results so far. On 3.x the prompt itself
grows by the thoughts of every inner turn (law 16), and a round re-reads it as it has grown. Results are never
candidates.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gembill_simulator.answer import PieceKind, Script, Turn
from gembill_simulator.tokens import NOTHING, TokenTally


@dataclass(frozen=True, slots=True)
class Counts:
    """One `usageMetadata`, in tokens; `cached` is part of `prompt`."""

    prompt: TokenTally
    cached: int = 0
    tool: TokenTally = NOTHING
    candidates: int = 0
    thoughts: int = 0

    @property
    def total(self) -> int:
        """What `totalTokenCount` says."""
        return self.prompt.total + self.tool.total + self.candidates + self.thoughts


def whole(script: Script) -> Counts:
    """The usage of the whole answer: of a unary one, and of the last chunk of a stream."""
    prompt, tool, results = script.prompt, TokenTally(), TokenTally()
    candidates = thoughts = 0
    for turn in script.turns:
        candidates += sum(piece.candidates for piece in turn.pieces)
        thinking = sum(piece.thoughts for piece in turn.pieces)
        thoughts += thinking
        results = sum((piece.result for piece in turn.pieces), results)
        if turn.uses_tool:
            prompt = prompt + TokenTally(text=thinking) if script.model.resets else prompt
            tool += prompt + results + TokenTally(text=candidates + thoughts)
    candidates += sum(piece.candidates for piece in script.others)  # candidatesTokenCount is that of all (1.9)
    return Counts(prompt, script.cached, tool, candidates, thoughts)


def snapshots(script: Script) -> tuple[Counts, ...]:
    """The usage of each piece's chunk, in order; the last is that of the whole answer."""
    inner = list(_cumulative(script))
    if script.model.resets:
        inner = [counts for turn in script.turns for counts in _of_turn(turn, script)]
    return (*inner[:-1], whole(script))


def _cumulative(script: Script) -> Iterator[Counts]:
    """2.5 (law 12): counts never fall; tool use first shows in the chunk after the result."""
    tool, results = TokenTally(), TokenTally()
    candidates = thoughts = 0
    for turn in script.turns:
        for piece in turn.pieces:
            candidates += piece.candidates
            thoughts += piece.thoughts
            results += piece.result
            yield Counts(script.prompt, script.cached, tool, candidates, thoughts)
        if turn.uses_tool:
            tool += script.prompt + results + TokenTally(text=candidates + thoughts)


def _of_turn(turn: Turn, script: Script) -> Iterator[Counts]:
    """3.x (law 13): counts start again with each turn, a result carries the prompt only, tool use waits for the end."""
    candidates = thoughts = 0
    for piece in turn.pieces:
        candidates += piece.candidates
        thoughts += piece.thoughts
        if piece.kind in (PieceKind.RESULT, PieceKind.IMAGE):
            yield Counts(script.prompt, script.cached)
        else:
            yield Counts(script.prompt, script.cached, NOTHING, candidates, thoughts)
