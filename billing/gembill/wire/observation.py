"""What an answer shows, gathered document by document.

Owns: the outline of parts, the last usage, the running snapshots, errors: all that dialects have in common. Owns no
field name of a dialect and keeps no text of a part. Invariant: what is gathered is bounded, however long the answer.
"""

from hashlib import blake2b

from msgspec import Raw
from msgspec.structs import replace

from gembill.model import ApiError, Part, ResponseFacts, Snapshot, UnreadReason
from gembill.wire.json_text import integer, mapping, value, word

MAX_PARTS = 2_000
MAX_SNAPSHOTS = 64
MAX_USAGE = 64 * 1024
MAX_SEARCHES = 10_000
_EXECUTED = ("code", "result")
_LIMITS = (
    ("prepayment", "prepayment_depleted"),
    ("monthly spending cap", "monthly_cap"),
    ("spend", "spend_rate"),
)
_TOO_MANY = (429, "429", "resource_exhausted", "too_many_requests", "rate_limit_exceeded", "quota_exceeded")

OUTLINE_ONLY = frozenset((UnreadReason.TOO_MANY_PARTS, UnreadReason.TOO_MANY_SEARCHES))
"""Reasons why something was not read that leave the usage whole."""


class Observation:
    """Builds `ResponseFacts`: dialects call its methods for each document, the exchange takes `seen()` at the end."""

    def __init__(self) -> None:
        self._outline: list[Part] = []
        self._last: dict[int, int] = {}  # by candidate, where its last part stands
        self._places: dict[int, int] = {}  # by the number of a step, where its last part stands
        self._snapshots: list[Snapshot] = []
        self._usage: str | None = None
        self._words: dict[str, str] = {}
        self._searches: set[bytes] = set()
        self._grounded = False
        self._fault: ApiError | None = None
        self._documents = 0
        self._unread: UnreadReason | None = None
        self._after_result = False

    def unread(self, reason: UnreadReason) -> None:
        """Some of the body could not be read; the first reason is kept that bears on the usage."""
        if self._unread is None or self._unread in OUTLINE_ONLY:
            self._unread = reason

    def word(self, name: str, found: object) -> None:
        """A short word of the answer, such as its model; the last one said counts."""
        if text := word(found):
            self._words[name] = text

    def part(self, part: Part, place: object = None) -> None:
        """The next part. Neighbouring texts of one candidate are one part. `place` numbers it, to be amended later."""
        stands = self._last.get(part.candidate)
        last = self._outline[stands] if stands is not None else None
        if stands is not None and last and part.kind == "text" and replace(part, chars=0) == replace(last, chars=0):
            self._outline[stands] = replace(last, chars=last.chars + part.chars)
        elif len(self._outline) < MAX_PARTS:
            self._last[part.candidate] = stands = len(self._outline)
            self._outline.append(part)
        else:
            self.unread(UnreadReason.TOO_MANY_PARTS)
            return
        if part.kind in _EXECUTED and (number := integer(place)) is not None:
            self._places[number] = stands

    def at(self, place: object) -> Part | None:
        """The last part of a numbered step."""
        stands = self._places.get(number) if (number := integer(place)) is not None else None
        return None if stands is None else self._outline[stands]

    def amend(self, place: object, part: Part) -> None:
        """Replace the last part of a numbered step by what it has become."""
        self._outline[self._places[integer(place) or 0]] = part

    def usage(self, raw: Raw | None) -> None:
        """The usage object of a document; an empty or absent one leaves the last one standing."""
        if raw is None or bytes(raw).strip(b"{} \t\r\n") in (b"", b"null"):
            return
        if len(bytes(raw)) > MAX_USAGE:
            self.unread(UnreadReason.USAGE_TOO_LARGE)
            if self._usage is not None:
                return  # its beginning, kept as evidence where there is nothing else, is an invalid usage
        self._usage = bytes(raw)[:MAX_USAGE].decode("utf-8", "backslashreplace")

    def search(self, query: object) -> None:
        """A search query that was made; only how many different ones there were is kept."""
        self._grounded = True
        if not isinstance(query, str) or not query.strip():
            return
        if len(self._searches) < MAX_SEARCHES:
            self._searches.add(blake2b(query.encode("utf-8", "replace"), digest_size=16).digest())
        else:
            self.unread(UnreadReason.TOO_MANY_SEARCHES)

    def grounded(self) -> None:
        """The answer rests on search results."""
        self._grounded = True

    def fault(self, error: Raw | None) -> None:
        """An error object of the API."""
        found = mapping(value(error))
        self.failed(found)

    def failed(self, error: dict[str, object]) -> None:
        """The same where it was read already."""
        if error:
            self._fault = _fault(error)

    def document_end(self, parts_before: int) -> None:
        """A document was read: keep a snapshot where it shows a round (at code, at a result, just after one)."""
        self._documents += 1
        kinds = {part.kind for part in self._outline[parts_before:]}
        shows_round = self._after_result or kinds.intersection(_EXECUTED)
        if self._usage and shows_round and len(self._snapshots) < MAX_SNAPSHOTS:
            self._snapshots.append(Snapshot(after=len(self._outline), usage=self._usage))
        self._after_result = "result" in kinds

    @property
    def counted(self) -> bool:
        """Whether a usage was seen."""
        return self._usage is not None

    @property
    def finish_reason(self) -> str | None:
        """The last word on how it ended, or stands."""
        return self._words.get("finish_reason")

    @property
    def parts(self) -> int:
        """Parts in the outline so far."""
        return len(self._outline)

    def seen(self) -> ResponseFacts:
        """All of it, frozen. Snapshots say something only where there was more than one document."""
        return ResponseFacts(
            usage=self._usage,
            outline=tuple(self._outline),
            snapshots=tuple(self._snapshots) if self._documents > 1 else (),
            documents=self._documents,
            unread=self._unread,
            searches=len(self._searches),
            grounded=self._grounded,
            fault=self._fault,
            **self._words,
        )


def _fault(error: dict[str, object]) -> ApiError:
    """Code and status of an error, and which limit a 429 met. Interactions have words for codes (wire.md 2.6)."""
    code, status, message = error.get("code"), word(error.get("status"), 64), error.get("message")
    said = message.lower() if isinstance(message, str) else ""
    kind = None
    if any((one.lower() if isinstance(one, str) else one) in _TOO_MANY for one in (code, status)):
        kind = next((kind for text, kind in _LIMITS if text in said), "rate")
    return ApiError(code=word(code, 64) if integer(code) is None else integer(code), status=status, kind=kind)
