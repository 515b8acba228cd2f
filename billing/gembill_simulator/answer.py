"""What the simulated model says.

Owns: the choice of an answer: whether code runs and how it ends, thoughts, texts, and the tokens of each piece.
Not here: laws of usage and JSON. Invariant: pure; the same request, model, seed and overrides give the same `Script`.

An answer is a list of turns. A turn ends with a run of code or a search, but for the last one, which ends the answer.
Each failed run is followed by another attempt, five times at most (wire.md 3). A search is a turn on 2.x, where
it costs tool use; on 3.x it belongs to the turn after it and costs none (law 21).
"""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from hashlib import blake2b
from random import Random

import msgspec

from gembill_simulator import calls, search
from gembill_simulator.calls import Function
from gembill_simulator.models import SimulatedModel
from gembill_simulator.programs import OK, Program, ProgramRun, choose, draws, ends_well, fails, never_ends
from gembill_simulator.request import Continuation, ParsedRequest
from gembill_simulator.search import Findings
from gembill_simulator.tokens import NOTHING, TokenTally, count

MOST_REGENERATIONS = 5

_COMPUTES = re.compile(
    r"\b(comput|calculat|plot|chart|graph|histogram|draw|prime|sum|fibonacci|average|mean|deviation|statistic|python|code"
    r"|simulat|solve|sort|how many|square|multipl|divi)|\d\s*[-+*/^]\s*\d",
    re.IGNORECASE,
)
_DRAWS = re.compile(r"\b(plot|chart|graph|histogram|draw)", re.IGNORECASE)
_FAILS = re.compile(r"\b(fails?|error|exception|broken|by zero)\b", re.IGNORECASE)
_NEVER_ENDS = re.compile(r"\b(forever|endless|infinite|deadline|time ?out)", re.IGNORECASE)
_TWICE = re.compile(r"\b(twice|two (runs|executions|steps|separate)|second run)", re.IGNORECASE)
_GREETS = re.compile(r"^\W*(hi|hello|hey|good (morning|day|evening))\b", re.IGNORECASE)

_SENTENCES = (
    "Here is a short answer made up by the simulator.",
    "It has the form of a real one, and its counts obey the same laws.",
    "Nothing was sent to any other machine.",
    "The wording depends on the request and on the seed alone.",
    "A longer answer has more chunks, so a reader of streams has something to do.",
    "Ask for a calculation to see code being run.",
)


class PieceKind(Enum):
    """What a piece of an answer is."""

    THOUGHT = "thought"
    TEXT = "text"
    CODE = "code"
    RESULT = "result"
    IMAGE = "image"
    SEARCH = "search"
    SEARCH_RESULT = "search result"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk's worth of an answer.

    `candidates` and `thoughts` are the tokens it adds to those counts, `result` those it adds to the context that the
    model reads again. `text` is prose, code, output, base64 of a PNG, or JSON arguments of the function `name`; `id`
    pairs code and result (3.x only).
    """

    kind: PieceKind
    text: str
    candidates: int = 0
    thoughts: int = 0
    result: TokenTally = NOTHING
    outcome: str = ""
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """Pieces up to and including the outcome of a tool, or up to the end of the answer."""

    pieces: tuple[Piece, ...]
    uses_tool: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A whole answer. `prompt` counts the prompt as first read, `cached` how much of it came from a cache.

    `findings` are those of a search; `shown_as_code` says that the search is shown as code. `continues` is there when
    the answer stopped at the limit of its hop. `others` are the texts of further candidates.
    """

    model: SimulatedModel
    prompt: TokenTally
    cached: int
    turns: tuple[Turn, ...]
    finish: str = "STOP"
    findings: Findings | None = None
    shown_as_code: bool = False
    continues: Continuation | None = None
    others: tuple[Piece, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces of all turns."""
        return tuple(piece for turn in self.turns for piece in turn.pieces)

    def shows(self, piece: Piece) -> bool:
        """Whether a piece is a part of a generateContent answer: a search is one only where it is shown as code."""
        return self.shown_as_code or piece.kind not in (PieceKind.SEARCH, PieceKind.SEARCH_RESULT)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a request's control headers ask of the answer; None leaves it to question and seed.

    `runs` are `ok`, `failed`, `deadline_exceeded`, `plot`, `search` or `call` (of a function: it ends the answer), in
    order; `cached` is in tokens; `hops` is how many requests the answer takes; `filling` is how many bytes more than it
    needs the file of a plot has.
    """

    runs: tuple[str, ...] | None = None
    cached: int | None = None
    hops: int | None = None
    filling: int | None = None


NO_OVERRIDES = Overrides()


def compose(
    request: ParsedRequest, model: SimulatedModel, *, seed: bytes, overrides: Overrides = NO_OVERRIDES
) -> Script:
    """The answer to a request. `seed` stands for everything that chance may depend on."""
    rng = Random(seed)
    runs, called = _planned(request, rng, overrides)
    program = choose(request.question, rng)
    thinks = model.thinks if request.thinks is None else request.thinks
    thoughts = _thoughts(len(runs) + 1, model, rng) if thinks else [0] * (len(runs) + 1)
    findings = search.find(request.question) if "search" in runs else None
    makes = partial(_run, program, filling=overrides.filling or 0)
    inner = [_inner(name, index, makes, model, rng, findings) for index, name in enumerate(runs)]
    spent = sum(thoughts) + sum(piece.candidates for pieces in inner for piece in pieces)
    left = None if request.most_tokens is None else request.most_tokens - spent
    closing, finish = _closing(request, runs, program, rng, left, called)
    if not called and (model.resets or not closing):  # 3.x ends a stream with an empty text that carries the signature
        closing = (*closing, Piece(PieceKind.TEXT, ""))
    turns = _turns((*inner, closing), thoughts, model, shown=request.shows_thoughts)
    script = Script(
        model, *_prompt(request, overrides), turns, finish, findings, request.code_allowed and not model.resets
    )
    texts = [_sentence(request.question, runs, program, rng) for _ in range(request.candidates - 1)]
    script = replace(script, others=tuple(Piece(PieceKind.TEXT, text, candidates=count(text)) for text in texts))
    return _hopping(script, request, overrides)


def _planned(request: ParsedRequest, rng: Random, overrides: Overrides) -> tuple[tuple[str, ...], Function | None]:
    """The tools to use, in order, and the function whose call ends the answer."""
    called = None if request.answered else calls.choose(request.functions, request.question, forced=request.forced)
    if overrides.runs is None:
        return _plan(request, rng), called
    runs = tuple(name for name in overrides.runs if name != "call")
    if len(runs) == len(overrides.runs):
        return runs, None
    return runs, called or (request.functions[0] if request.functions else Function("simulated_function", {}))


def _turns(
    pieces: Sequence[tuple[Piece, ...]], thoughts: Sequence[int], model: SimulatedModel, *, shown: bool
) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    before: tuple[Piece, ...] = ()
    for index, (own, thinking) in enumerate(zip(pieces, thoughts, strict=True)):
        last = index == len(pieces) - 1
        if model.resets and own[0].kind is PieceKind.SEARCH and not last:
            before += own
            continue
        turns.append(Turn((*before, *_thinking(own, thinking, shown=shown)), uses_tool=not last))
        before = ()
    return tuple(turns)


def _hopping(script: Script, request: ParsedRequest, overrides: Overrides) -> Script:
    """The script as one hop of several: the prompt holds what earlier hops put out (wire.md 1.5)."""
    before = request.continues
    left = before.left if before else overrides.hops or 1
    spent = before.spent if before else 0
    prompt = script.prompt + TokenTally(text=spent)
    if left < 2:
        return replace(script, prompt=prompt)
    output = sum(piece.candidates + piece.thoughts for piece in script.pieces)
    return replace(script, prompt=prompt, finish="CONTINUATION", continues=Continuation(left - 1, spent + output))


def _prompt(request: ParsedRequest, overrides: Overrides) -> tuple[TokenTally, int]:
    held = request.held.text
    if request.cached_content is not None and not request.held.total:  # the name decides the size of an unknown cache
        held = 1024 + int.from_bytes(blake2b(request.cached_content.encode(), digest_size=2).digest(), "big") % 2048
    prompt = request.prompt + replace(request.held, text=held)
    if not prompt.total:
        prompt = TokenTally(text=1)
    cached = held if overrides.cached is None else overrides.cached
    return prompt, min(cached, prompt.text)


def _plan(request: ParsedRequest, rng: Random) -> tuple[str, ...]:
    searches = ("search",) if request.search_allowed and search.WORDS.search(request.question) else ()
    return searches + _computed(request, rng)


def _computed(request: ParsedRequest, rng: Random) -> tuple[str, ...]:
    if not (request.code_allowed and _COMPUTES.search(request.question)):
        return ()
    if _DRAWS.search(request.question):
        return ("plot",)
    if _TWICE.search(request.question):
        return ("ok", "ok")
    if _FAILS.search(request.question):
        return ("failed",) * rng.randint(1, MOST_REGENERATIONS) + ("ok",)
    if _NEVER_ENDS.search(request.question):
        return ("deadline_exceeded",)
    return _usual(rng)


def _usual(rng: Random) -> tuple[str, ...]:
    chance = rng.random()
    if chance < 0.70:
        return ("ok",)
    if chance < 0.80:
        return ("ok", "ok")
    if chance < 0.96:
        return ("failed",) * rng.choice((1, 1, 1, 2, 2, 3, MOST_REGENERATIONS)) + ("ok",)
    if chance < 0.98:
        return ("deadline_exceeded", "ok")
    return ("failed",) * (MOST_REGENERATIONS + 1)


def _run(program: Program, name: str, index: int, *, filling: int) -> ProgramRun:
    if name == "failed":
        return fails(program, index)
    if name == "deadline_exceeded":
        return never_ends(program)
    return draws(program, filling) if name == "plot" else ends_well(program)


def _thoughts(turns: int, model: SimulatedModel, rng: Random) -> list[int]:
    first = rng.randint(30, 300)
    if model.resets:  # never rising: the plan is thought out first, later turns mend it
        return sorted((first, *(rng.randint(10, first) for _ in range(turns - 1))), reverse=True)
    return [first, *(rng.choice((0, 0, 12)) for _ in range(turns - 1))]


def _thinking(pieces: tuple[Piece, ...], thoughts: int, *, shown: bool) -> tuple[Piece, ...]:
    """Give the turn's thoughts to a summary piece of its own if they are shown, else to the first piece."""
    if shown and thoughts:
        return (
            Piece(PieceKind.THOUGHT, "**Planning the answer**\n\nI am choosing the steps.\n\n", thoughts=thoughts),
            *pieces,
        )
    return (replace(pieces[0], thoughts=thoughts), *pieces[1:])


def _inner_pieces(run: ProgramRun, index: int, model: SimulatedModel, rng: Random) -> tuple[Piece, ...]:
    name = f"{rng.getrandbits(40):08x}"[-8:] if model.resets else ""
    lead: tuple[Piece, ...] = ()
    if not model.resets and rng.random() < 0.7:
        lead = _pieces("Let me work that out with Python:\n\n" if index == 0 else "Another run is needed:\n\n", rng)
    code = Piece(PieceKind.CODE, run.code, candidates=count(run.code) + 2, id=name)
    result = Piece(
        PieceKind.RESULT, run.output, result=TokenTally(text=count(run.output)), outcome=run.outcome, id=name
    )
    drawn = (
        ()
        if run.image is None
        else (Piece(PieceKind.IMAGE, b64encode(run.image).decode(), result=TokenTally(image=258)),)
    )
    return (*lead, code, result, *drawn)


def _inner(
    name: str,
    index: int,
    makes: Callable[[str, int], ProgramRun],
    model: SimulatedModel,
    rng: Random,
    findings: Findings | None,
) -> tuple[Piece, ...]:
    if findings is None or name != "search":
        return _inner_pieces(makes(name, index), index, model, rng)
    query = Piece(PieceKind.SEARCH, search.code_shown(findings))
    if model.resets:
        return (query, Piece(PieceKind.SEARCH_RESULT, search.OUTPUT_SHOWN))
    result = Piece(
        PieceKind.SEARCH_RESULT, search.OUTPUT_SHOWN, result=TokenTally(text=40 * len(findings.sources)), outcome=OK
    )
    return (replace(query, candidates=count(query.text)), result)


def _closing(
    request: ParsedRequest,
    runs: tuple[str, ...],
    program: Program,
    rng: Random,
    left: int | None,
    called: Function | None,
) -> tuple[tuple[Piece, ...], str]:
    """The pieces after the last tool, and the reason to finish."""
    if called is None:
        return _capped(_pieces(_sentence(request.question, runs, program, rng), rng), left)
    given = msgspec.json.encode(calls.arguments(called, request.question)).decode()
    name = blake2b(f"{called.name}{given}".encode(), digest_size=4).hexdigest()
    return (Piece(PieceKind.CALL, given, candidates=count(called.name + given), id=name, name=called.name),), "STOP"


def _sentence(question: str, runs: tuple[str, ...], program: Program, rng: Random) -> str:
    if runs and runs[-1] in ("ok", "plot"):
        return program.sentence
    if runs and runs[-1] == "search":
        return search.SENTENCE
    if runs:
        return "The code did not come to a result, so there is no number to give. Its last error stands above."
    if _GREETS.search(question):
        return "Hello! How can I help you today?"
    return " ".join(rng.sample(_SENTENCES, rng.randint(1, len(_SENTENCES))))


def _pieces(text: str, rng: Random) -> tuple[Piece, ...]:
    """Cut a text anywhere, the first piece short, as the API does."""
    cut, pieces = rng.randint(4, 20), [text[: rng.randint(1, 20)]]
    position = len(pieces[0])
    while position < len(text):
        cut = min(cut + rng.randint(10, 40), 60)
        pieces.append(text[position : position + cut])
        position += cut
    return tuple(Piece(PieceKind.TEXT, piece, candidates=count(piece)) for piece in pieces)


def _capped(pieces: tuple[Piece, ...], left: int | None) -> tuple[tuple[Piece, ...], str]:
    """Leave out what is over the output limit; the reason to finish says whether something was."""
    kept: list[Piece] = []
    for piece in pieces:
        if left is not None and piece.candidates > left:
            return tuple(kept), "MAX_TOKENS"
        left = None if left is None else left - piece.candidates
        kept.append(piece)
    return tuple(kept), "STOP"
