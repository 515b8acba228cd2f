"""Values of TOML files, checked against types.

Owns: the check of one value by msgspec, the sentence about one that is wrong, and where a value is in its file: its
path (`$.budget[0].period`) and its line. Not here: what any file means, and files themselves.
Invariant: a value either has its type, or there is one sentence that says what it is and what it must be.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

Path = tuple[str | int, ...]
"""Keys and, within lists, numbers from 0."""

_BARE_KEY = re.compile(r"[\w-]+")
_SHOWN_CHARS = 80
_OF_TOML = (date, datetime, Decimal)  # a text is none of these, even where it looks like one


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value must be: a type as msgspec checks it, and the same in words.

    `read` makes the value of what was written and raises ValueError where it cannot; `from_text` comes first where a
    text was written. A `secret` is never quoted.
    """

    type: Any
    words: str
    read: Callable[[Any], Any] = lambda value: value
    from_text: Callable[[str], Any] = lambda text: text
    secret: bool = False

    def checked(self, value: object, called: str) -> Any:  # noqa: ANN401
        """The value; ValueError with a sentence in which it is `called` so."""
        try:
            plain = self.from_text(value) if isinstance(value, str) else value
            return self.read(msgspec.convert(plain, self.type, builtin_types=_OF_TOML))
        except (msgspec.ValidationError, ValueError):
            was = "not shown, because it may be a secret" if self.secret and value != "" else shown(value)
            raise ValueError(f"{called} is {was}; it must be {self.words}") from None


def checked(kinds: Mapping[str, Kind], key: str, value: object, *, called: str, among: str) -> Any:  # noqa: ANN401
    """The value of a key; ValueError with a sentence about the value, or about a key that is not `among` the known."""
    kind = kinds.get(key)
    if kind is None:
        from difflib import get_close_matches

        near = get_close_matches(key, kinds, 1)
        known = f"is '{near[0]}' meant?" if near else f"known are {', '.join(kinds)}"
        raise ValueError(f"{called} is not {among}; {known}")
    return kind.checked(value, called)


def written(path: Path) -> str:
    """A path as messages have it: `$.budget[0].period`."""
    return "$" + "".join(map(_step, path))


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _BARE_KEY.fullmatch(key) else f'["{key}"]'


def line_of(text: str, path: Path) -> int:
    """The line on which the statement begins that writes a value, or what the value would be in; text is proper TOML.

    The text is cut after the first statement with which `tomllib` reads the value, so that strings, lists and comments
    are understood by no rules but its own.
    """
    content = tomllib.loads(text)
    while path and not _has(content, path):
        path = path[:-1]
    lines = text.replace("\r\n", "\n").split("\n")
    begins = list(_statements(lines))
    ends = [*begins[1:], len(lines)]
    return begins[bisect_left(ends, True, key=lambda end: _has(tomllib.loads("\n".join(lines[:end])), path))] + 1


def _statements(lines: list[str]) -> Iterator[int]:
    """The number, from 0, of the line on which each statement begins; some go on for several lines."""
    begin = 0
    for number in range(len(lines)):
        try:
            tomllib.loads("\n".join(lines[begin : number + 1]))
        except tomllib.TOMLDecodeError:
            continue
        yield begin
        begin = number + 1


def _has(content: Any, path: Path) -> bool:  # noqa: ANN401
    for key in path:
        if isinstance(key, int):
            inside = isinstance(content, list) and key < len(content)
        else:
            inside = isinstance(content, dict) and key in content
        if not inside:
            return False
        content = content[key]
    return True


def shown(value: object) -> str:
    """A value about as it was written, short."""
    if isinstance(value, str):
        return f"'{value}'"[:_SHOWN_CHARS] if value.isprintable() else repr(value)[:_SHOWN_CHARS]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"[:_SHOWN_CHARS]
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {shown(inner)}' for key, inner in value.items())}}}"[:_SHOWN_CHARS]
    return str(value)[:_SHOWN_CHARS]
