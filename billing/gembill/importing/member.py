"""Members of a stranger's JSON object, taken by name and type.

Owns: the sentences that say why an object cannot be used. Owns no format. Invariant: whatever stands in a file, a
member comes out with its type or `RefusedLine` says in a clause what is wrong; nothing a file says can move a terminal.
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


def shown(found: object) -> str:
    """A value from a file, fit for a message: short, on one line, without control characters."""
    text = found if isinstance(found, str) else repr(found)
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)


def members(text: bytes) -> Members:
    """The members of a JSON object in UTF-8, each still JSON text."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise RefusedLine(f"it is not UTF-8 (byte {error.start + 1})") from None
    found = fields(text)
    if found is None:
        raise RefusedLine(_why(text))
    return found


def text(found: Members, name: str) -> str | None:
    """A text; None where it is absent or null."""
    here: str | None = _typed(found, name, str)
    return here


def inner(found: Members, name: str) -> Members:
    """The members of an object within; none where it is absent or null."""
    _typed(found, name, dict)
    return fields(bytes(found[name])) or {} if name in found else {}


def entries(found: Members, name: str) -> list[msgspec.Raw] | None:
    """The items of a list, still JSON text; None where it is absent or null."""
    return None if _typed(found, name, list) is None else items(found[name])


def status(found: Members, name: str = "status", *, least: int = 100) -> int:
    """An HTTP status."""
    code = value(found.get(name))
    if type(code) is not int or not (least <= code <= 599):
        state = f"is {shown(json.dumps(code))}" if name in found else "is missing"
        raise RefusedLine(f"{name} {state}; it must be a number from {least} to 599")
    return code


def _typed(found: Members, name: str, kind: type) -> Any:  # noqa: ANN401
    here = value(found.get(name))
    if here is not None and type(here) is not kind:
        raise RefusedLine(f"{name} is {_NAMES.get(type(here), 'something else')}; it must be {_NAMES[kind]}")
    return here


def _why(text: bytes) -> str:
    """Why a text is no JSON object."""
    try:
        json.loads(text, parse_int=float)
    except RecursionError:
        return "it is nested too deep to be read"
    except json.JSONDecodeError as error:
        return f"it is no JSON ({error.msg[0].lower()}{error.msg[1:]}, character {error.pos + 1})"
    except ValueError:
        return "it is no JSON that can be read"
    return "it is JSON but no object"
