"""Members of a JSON object from outside, taken by name and type.

Owns: the sentences that say why an object cannot be used. Not here: formats. Invariant: whatever a file contains, a
member has its type or `RefusedLine` says in a clause what is wrong; no text of a file can control a terminal.
"""

import json
from typing import Any

import msgspec

from gembill.wire.json_text import fields, items, value

Members = dict[str, msgspec.Raw]
_SHOWN = 60
_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


class RefusedLine(Exception):
    """A line, entry or file cannot be imported; the text is a clause that begins with what is wrong."""


def shown(value: object) -> str:
    """A value from a file, fit for a message: short, on one line, without control characters."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)


def members_of(text: bytes) -> Members:
    """The members of a JSON object in UTF-8, each still JSON text."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise RefusedLine(f"it is not UTF-8 (byte {error.start + 1})") from None
    members = fields(text)
    if members is None:
        raise RefusedLine(_why(text))
    return members


def text(members: Members, name: str) -> str | None:
    """A text; None where it is absent or null."""
    member: str | None = _typed(members, name, str)
    return member


def inner(members: Members, name: str) -> Members:
    """The members of an object within; none where it is absent or null."""
    _typed(members, name, dict)
    return fields(bytes(members[name])) or {} if name in members else {}


def entries(members: Members, name: str) -> list[msgspec.Raw] | None:
    """The items of a list, still JSON text; None where it is absent or null."""
    return None if _typed(members, name, list) is None else items(members[name])


def status(members: Members, name: str = "status", *, least: int = 100) -> int:
    """An HTTP status."""
    code = value(members.get(name))
    if type(code) is not int or not (least <= code <= 599):
        state = f"is {shown(json.dumps(code))}" if name in members else "is missing"
        raise RefusedLine(f"{name} {state}; it must be a number from {least} to 599")
    return code


def _typed(members: Members, name: str, kind: type) -> Any:  # noqa: ANN401
    member = value(members.get(name))
    if member is not None and type(member) is not kind:
        raise RefusedLine(f"{name} is {_NAMES.get(type(member), 'something else')}; it must be {_NAMES[kind]}")
    return member


def _why(text: bytes) -> str:
    """Why a text is not a JSON object."""
    try:
        json.loads(text, parse_int=float)
    except RecursionError:
        return "it is nested too deeply to be read"
    except json.JSONDecodeError as error:
        return f"it is not JSON ({error.msg[0].lower()}{error.msg[1:]}, character {error.pos + 1})"
    except ValueError:
        return "it is not JSON that can be read"
    return "it is JSON but not an object"
