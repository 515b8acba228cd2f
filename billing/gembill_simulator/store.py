"""Where the simulator keeps what it made.

Owns: keeping by name, the bound on how much is kept, and pages of a list. Not here: what a thing means. Invariant: at
most `MOST` things are kept, the oldest go first; all of it is gone when the simulator is.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from gembill.errors import Refusal

MOST = 4096

_Thing = TypeVar("_Thing")


class Store(Generic[_Thing]):
    """Things by name, oldest first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._things: OrderedDict[str, _Thing] = OrderedDict()

    def put(self, name: str, thing: _Thing) -> None:
        """Keep a thing, in the place of what had this name."""
        self._things[name] = thing
        if len(self._things) > self._most:
            self._things.popitem(last=False)

    def get(self, name: str) -> _Thing | None:
        """The thing of this name."""
        return self._things.get(name)

    def drop(self, name: str) -> None:
        """Keep it no longer."""
        self._things.pop(name, None)

    def __iter__(self) -> Iterator[_Thing]:
        return iter(tuple(self._things.values()))

    def __len__(self) -> int:
        return len(self._things)


def page(things: list[_Thing], query: Mapping[str, str]) -> tuple[list[_Thing], dict[str, str]]:
    """The part of a list that `pageSize` and `pageToken` name, and the `nextPageToken` if more follows.

    Raises `Refusal` (400) when they are not numbers.
    """
    size, token = query.get("pageSize", ""), query.get("pageToken", "")
    if not (f"{size}{token}0".isascii() and f"{size}{token}0".isdigit()):
        raise Refusal(400, "INVALID_ARGUMENT", "pageSize and pageToken must be numbers in this simulator.")
    start = int(token or 0)
    end = start + (int(size or 0) or 50)
    return things[start:end], {"nextPageToken": str(end)} if end < len(things) else {}
