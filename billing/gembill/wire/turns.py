"""What makes a request the next turn of a chat: digests of what was said before it, and of what was answered.

Owns: the digest of an answer's words and that of the contents of a request, and which of these are the turn before. Not
here: which calls were seen (`gembill.capture.chats`) and the fields of a dialect. Invariant: no text is kept; an
answer has the same digest however it was streamed and in however many parts a client sends it back; thinking is not
part of it, because clients leave it out.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode
_MARKS = 4
_ALPHABET = str.maketrans("-_", "+/")
_TEXT, _CALL = b"\0text\0", b"\0call\0"


class Turn(Struct, frozen=True, gc=False):
    """A prompt and its answer, as digests; `marks` are those of thought signatures, which no two answers share."""

    prompt: bytes
    answer: bytes
    marks: tuple[bytes, ...] = ()


class Turns(Struct, frozen=True, gc=False):
    """The digest of all contents of a request, and the turn before."""

    prompt: bytes
    before: Turn | None = None


class Said:
    """The words of one answer as they come: its texts, joined, and the functions that it calls."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._kind = b""
        self._marks: list[bytes] = []

    def add_signature(self, signature: object) -> None:
        """Add the signature of a part; a few are enough, because a client sends all or none of them back.

        The SDK for Python sends them back in the other alphabet of Base64 (RFC 4648, 5).
        """
        if isinstance(signature, str) and signature and len(self._marks) < _MARKS:
            text = signature.translate(_ALPHABET).rstrip("=")
            self._marks.append(sha256(text.encode("utf-8", "surrogatepass")).digest())

    def add_text(self, text: str) -> None:
        """Add the next piece of text; one that is empty says nothing."""
        if text:
            if self._kind is not _TEXT:
                self._begin(_TEXT)
            self._hash.update(text.encode("utf-8", "surrogatepass"))

    def add_call(self, name: object, arguments: object) -> None:
        """Add the call of a function."""
        self._kind = b""
        self._begin(_CALL)
        self._hash.update(_written([name, arguments]))

    def _begin(self, kind: bytes) -> None:
        if kind != self._kind:
            self._hash.update(kind)
            self._kind = kind

    def turn(self, prompt: bytes) -> Turn | None:
        """What was said so far as the answer to a prompt; None where that is nothing that could be recognised."""
        return Turn(prompt, self._hash.digest(), tuple(self._marks)) if self._kind else None


Reader = Callable[[Raw, Said | None], bool]
"""Whether a content is the model's; if there is a `Said`, its words are added to it."""


def turns(contents: Sequence[Raw], read: Reader) -> Turns | None:
    """The digests of a request with these contents, which were said by user and model in turn; None of no content.

    The answer before is the last of the model's that something follows; what was said before that is its prompt.
    """
    if not contents:
        return None
    start, end = _last_answer(contents, read) if len(contents) > 1 else (0, 0)  # of most calls nothing is before
    prompt, before = sha256(), b""
    for place, content in enumerate(contents):
        if end and place == start:
            before = prompt.digest()
        text = _canonical(bytes(content))
        prompt.update(b"%d\0%b" % (len(text), text))
    if not end:
        return Turns(prompt.digest())
    said = Said()
    for content in contents[start:end]:
        read(content, said)
    return Turns(prompt.digest(), said.turn(before))


def _last_answer(contents: Sequence[Raw], read: Reader) -> tuple[int, int]:
    """Where the last answer that something follows begins and ends; twice 0 where it is none or nothing is before."""
    end = len(contents)
    while end and read(contents[end - 1], None):  # the beginning of an answer that the model is to go on with
        end -= 1
    while end and not read(contents[end - 1], None):
        end -= 1
    start = end
    while start and read(contents[start - 1], None):
        start -= 1
    return (start, end) if start else (0, 0)


def _written(value: object) -> bytes:
    """The value as JSON; nothing where that is not possible, because a digest must not cost a count."""
    try:
        return _encode(value)
    except (msgspec.MsgspecError, RecursionError, ValueError, TypeError, OverflowError):
        return b""


def _canonical(text: bytes) -> bytes:
    """The same bytes for the same JSON value, however it was written."""
    try:
        return _encode(_decode(text))
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return text
