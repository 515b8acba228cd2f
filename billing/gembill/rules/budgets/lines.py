"""On which line of a TOML text each key stands.

Owns: the line numbers that `tomllib` does not give. Owns no meaning of a key. Invariant: a text is cut into statements
by `tomllib` itself: lines are gathered until they parse, so that strings, arrays and comments are read by its rules.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


class Lines:
    """The lines of a text that is proper TOML. Paths have the number of a table where it is one of an array."""

    def __init__(self, text: str) -> None:
        self._found: dict[Path, int] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        header: tuple[str, ...] = ()
        for number, statement, content in _statements(text):
            if statement.lstrip().startswith("["):
                header = _header(content)
                if statement.lstrip().startswith("[["):
                    self._counts[header] = self._counts.get(header, -1) + 1
                self._found.setdefault(self._numbered(header), number)
            else:
                for keys in _leaves(content):
                    self._found.setdefault(self._numbered((*header, *keys)), number)

    def of(self, path: Path) -> int:
        """The line of a key, or of what it stands in."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)

    def _numbered(self, keys: tuple[str, ...]) -> Path:
        """Keys with the number of the table they are in, after each that names an array of tables."""
        path: list[str | int] = []
        for place, key in enumerate(keys, 1):
            path.append(key)
            if keys[:place] in self._counts:
                path.append(self._counts[keys[:place]])
        return tuple(path)


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each header or key with its value: the line it begins on, its text, and what it says alone."""
    held: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        held.append(line)
        statement = "\n".join(held)
        try:
            content = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # it goes on: a string or an array of several lines
        if content:
            yield number - len(held) + 1, statement, content
        held = []


def _header(content: dict[str, Any]) -> tuple[str, ...]:
    keys: list[str] = []
    inner: Any = content
    while isinstance(inner, dict) and inner:
        key, inner = next(iter(inner.items()))
        keys.append(key)
    return tuple(keys)


def _leaves(content: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in content.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
