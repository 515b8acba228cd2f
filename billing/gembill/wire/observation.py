"""What an answer shows, gathered document by document.

Owns: the outline of parts, the last usage, the running snapshots, errors: all that dialects have in common. Not here:
field names of a dialect. Invariant: no text of a part is kept, and what is kept is bounded, however long the answer.
"""

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from gembill.event import Part, ResponseFacts, Snapshot, Stored, UnreadReason
from gembill.model import ApiError
from gembill.wire.grounding import Grounding
from gembill.wire.json_text import integer, mapping, word
from gembill.wire.token_counts import has_counts
from gembill.wire.turns import Said

MAX_PARTS = 2_000
MAX_SNAPSHOTS = 64
MAX_USAGE = 64 * 1024
_EXECUTED = ("code", "result")
_LIMITS = (
    ("prepayment", "prepayment_depleted"),
    ("monthly spending cap", "monthly_cap"),
    ("spend", "spend_rate"),
)
_TOO_MANY = (429, "429", "resource_exhausted", "too_many_requests", "rate_limit_exceeded", "quota_exceeded")

OUTLINE_ONLY = frozenset((UnreadReason.TOO_MANY_PARTS, UnreadReason.TOO_MANY_SEARCHES))
"""Reasons that leave the usage whole."""


class Observation:
    """Builds `ResponseFacts`: dialects call its methods for each document, the exchange takes `response_facts()`."""

    _usage: bytes | None = None
    _counted = False  # whether a usage is known to have had counts
    _grounding: Grounding | None = None
    _error: ApiError | None = None
    _documents = 0
    _unread: UnreadReason | None = None
    _ran = _showed_result = False  # whether the document so far shows code or a result; a result
    _result_before = False  # whether the document before it did
    _made: int | None = None
    _stored: Stored | None = None

    def __init__(self) -> None:
        self.said = Said()  # of the first candidate: what a client sends back as the answer
        self._outline: list[Part] = []
        self._texts: dict[int, int] = {}  # by its index in the outline, how long a text has grown
        self._last: dict[int, int] = {}  # by candidate, the index of its last part
        self._step_parts: dict[int, int] = {}  # by the number of a step, the index of its last part
        self._snapshots: list[tuple[int, bytes]] = []
        self._words: dict[str, str] = {}

    def mark_unread(self, reason: UnreadReason) -> None:
        """Some of the body could not be read; the first reason that bears on the usage is kept."""
        if self._unread is None or self._unread in OUTLINE_ONLY:
            self._unread = reason

    def add_word(self, name: str, said: object) -> None:
        """Keep a short text of the answer, such as its model; the last one counts. What is not a text is left out."""
        if name in self._words and self._words[name] == said:
            return  # each document of a stream says it again
        if text := word(said):
            self._words[name] = text

    def add_text(self, chars: int, candidate: int = 0, *, thought: bool = False) -> None:
        """Add a text. Neighbouring texts of one candidate are one part."""
        index = self._last.get(candidate, -1)
        if index in self._texts and self._outline[index].thought is thought:
            self._texts[index] += chars
        elif self._append(Part(kind="text", candidate=candidate, thought=thought)):
            self._texts[self._last[candidate]] = chars

    def add_part(self, part: Part, step: object = None) -> None:
        """Add the next part, whose step has this number. Texts grow as by `add_text`."""
        if part.kind == "text":
            self.add_text(part.chars, part.candidate, thought=part.thought)
        elif self._append(part) and part.kind in _EXECUTED:
            self._ran = True
            self._showed_result |= part.kind == "result"
            if step is not None and (number := integer(step)) is not None:
                self._step_parts[number] = self._last[part.candidate]

    def _append(self, part: Part) -> bool:
        place = len(self._outline)
        if place >= MAX_PARTS:
            self.mark_unread(UnreadReason.TOO_MANY_PARTS)
            return False
        self._last[part.candidate] = place
        self._outline.append(part)
        return True

    def part_of_step(self, step: object) -> Part | None:
        """The last code or result of a numbered step."""
        index = self._step_parts.get(number) if (number := integer(step)) is not None else None
        return None if index is None else self._outline[index]

    def replace_part_of_step(self, step: object, part: Part) -> None:
        """Replace the last code or result of a numbered step, which must have one."""
        self._outline[self._step_parts[integer(step) or 0]] = part

    def update_usage(self, raw: Raw | bytes | None) -> None:
        """Take the usage object of a document in place of the last one; one without counts replaces none that has."""
        text = b"" if raw is None else bytes(raw)
        if text == self._usage or text.strip(b"{} \t\r\n") in (b"", b"null"):
            return
        if len(text) > MAX_USAGE:
            self.mark_unread(UnreadReason.USAGE_TOO_LARGE)
            if self._usage is not None:
                return  # its beginning, kept as evidence where there is nothing else, is an invalid usage
            self._counted = has_counts(text)
        if self._usage is not None:
            self._counted = self._counted or has_counts(self._usage)
            if self._counted and not has_counts(text):
                return
        self._usage = text[:MAX_USAGE]

    def add_grounding(self, queries: object, *, searched: bool = False, web: bool = False, maps: bool = False) -> None:
        """Add the queries of a document, whether it shows a web search, and whether it cites web pages or Maps."""
        self._grounding = self._grounding or Grounding()
        if not self._grounding.add(queries, searched=searched, cites_web=web, maps=maps):
            self.mark_unread(UnreadReason.TOO_MANY_SEARCHES)

    def mark_fetched(self) -> None:
        """The answer used URL context."""
        self._grounding = self._grounding or Grounding()
        self._grounding.mark_fetched()

    def count_made(self, count: int) -> None:
        """The answer lists that many pictures or films; what later documents list is added."""
        self._made = (self._made or 0) + count

    def add_stored(self, stored: Stored) -> None:
        """The answer shows tokens that are kept; the last one counts."""
        self._stored = stored

    def add_error(self, error: object) -> None:
        """Keep an error of the API, given as the decoded value; what is not an object with members is left out."""
        if members := mapping(error):
            self._error = _api_error(members)

    def end_document(self) -> None:
        """End a document: keep the usage as a snapshot where it shows a round (at code, at a result or just after)."""
        self._documents += 1
        if (self._ran or self._result_before) and self._usage and len(self._snapshots) < MAX_SNAPSHOTS:
            self._snapshots.append((len(self._outline), self._usage))
        self._result_before = self._showed_result
        self._ran = self._showed_result = False

    @property
    def has_usage(self) -> bool:
        """Whether a usage was seen."""
        return self._usage is not None

    @property
    def finish_reason(self) -> str | None:
        """The last word on how the answer ended, or on its state so far."""
        return self._words.get("finish_reason")

    @property
    def response_id(self) -> str | None:
        """The name that the API gave its answer, or the work that the answer is about."""
        return self._words.get("response_id")

    @property
    def has_made(self) -> bool:
        """Whether pictures or films were listed, be it none."""
        return self._made is not None

    @property
    def has_error(self) -> bool:
        """Whether an error was seen."""
        return self._error is not None

    @property
    def part_count(self) -> int:
        """Parts in the outline so far."""
        return len(self._outline)

    def response_facts(self) -> ResponseFacts:
        """All of it, frozen. Snapshots are left out where there was only one document."""
        grounding = self._grounding
        outline = list(self._outline)
        for index, chars in self._texts.items():
            outline[index] = replace(outline[index], chars=chars)
        shown = self._snapshots if self._documents > 1 else ()
        return ResponseFacts(
            usage=None if self._usage is None else _as_text(self._usage),
            outline=tuple(outline),
            snapshots=tuple([Snapshot(after=after, usage=_as_text(usage)) for after, usage in shown]) if shown else (),
            documents=self._documents,
            unread=self._unread,
            searches=grounding.searches if grounding else 0,
            grounded=grounding.grounded if grounding else False,
            maps_searches=grounding.maps_searches if grounding else 0,
            fault=self._error,
            made=self._made,
            stored=self._stored,
            **self._words,
        )


def _as_text(usage: bytes) -> str:
    """The provider's own text but for the spaces and line ends between its words, which can be half of it."""
    try:
        return msgspec.json.format(usage, indent=-1).decode()
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return usage.decode("utf-8", "backslashreplace")


def _api_error(error: dict[str, object]) -> ApiError:
    """Code and status of an error, and which limit a 429 met. Interactions use words as codes (wire.md 2.6)."""
    code, status, message = error.get("code"), word(error.get("status"), 64), error.get("message")
    text = message.lower() if isinstance(message, str) else ""
    kind = None
    if any((name.lower() if isinstance(name, str) else name) in _TOO_MANY for name in (code, status)):
        kind = next((kind for phrase, kind in _LIMITS if phrase in text), "rate")
    return ApiError(code=word(code, 64) if integer(code) is None else integer(code), status=status, kind=kind)
