"""JSON objects read into structs that name what is wanted of them, so that nothing else is made.

Owns: the one strict decode of a document, and the reading member by member where that is refused: a member that cannot
be read, or is not what it should be, then counts as null and hides no other. Not here: the names of fields (the
dialects) and lenient JSON (`json_text`). Invariant: nothing here raises on any input, and both ways of reading give the
same wherever the strict one succeeds.

A struct may have members of the types `Any`, `Raw`, `X | None` and `list[X] | None`, X being `Raw` or such a struct
again, each with a default for what is absent. One object stands for a list of one (wire.md 5.4). A member that may be
UNSET is that too where it is there and cannot be read.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gembill.wire.json_text import items, mapping, mappings_or_one, value

_T = TypeVar("_T", bound=Struct)


class Shape(Generic[_T]):
    """Reads objects of one kind; `members` splits those that the strict decode refuses, or gives None."""

    def __init__(self, kind: type[_T], members: Callable[[bytes], Mapping[str, Raw] | None]) -> None:
        self._kind = kind
        self._members = members
        self._decode = msgspec.json.Decoder(kind).decode

    def read(self, text: bytes) -> _T | None:
        """The object of a JSON text; None if it is not one."""
        try:
            return self._decode(text)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            members = self._members(text)
        return None if members is None else _struct(self._kind, members, _of_text)


def _struct(kind: type[_T], members: Mapping[str, Any], read: Callable[[Any, Any], Any]) -> _T:
    given = [(field, members[field.encode_name]) for field in _fields(kind) if field.encode_name in members]
    return kind(**{field.name: read(field.type, inner) for field, inner in given})


def _of_members(kind: type[_T], members: dict[str, Any]) -> _T:
    """A struct of decoded members: at once where all are of their kinds, else one by one."""
    try:
        return msgspec.convert(members, kind)
    except (msgspec.ValidationError, UnicodeError):
        return _struct(kind, members, _of_value)


def _of_text(kind: Any, text: Raw) -> Any:  # noqa: ANN401
    """A member that is still text."""
    if kind is Raw:
        return text
    if _item(kind) is Raw:
        listed = items(text)
        return [text] if listed is None and mapping(value(text)) else listed  # one object stands for a list of it
    said = value(text)
    if said is None and UnsetType in get_args(kind) and bytes(text) != b"null":
        return UNSET
    return _of_value(kind, said)


def _of_value(kind: Any, said: object) -> Any:  # noqa: ANN401
    """A decoded member, None where it is not of its kind."""
    if kind is Any:
        return said
    item = _item(kind)
    if item is None:
        return _of_members(get_args(kind)[0], said) if isinstance(said, dict) else None
    return [_of_members(item, one) for one in mappings_or_one(said)] if isinstance(said, list | dict) else None


@cache
def _item(kind: Any) -> Any:  # noqa: ANN401
    """What a list of this kind is a list of; None where it is not a list."""
    first = next(iter(get_args(kind)), None)
    return get_args(first)[0] if get_origin(first) is list else None


_fields = cache(msgspec.structs.fields)
