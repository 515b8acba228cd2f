"""Reading fields of decoded JSON.

Owns: bodies as JSON objects, and typed access to a field in camelCase or snake_case. Not here: what a field means.
Invariant: any JSON gives a value of the type asked for or a `Refusal` with Google's status 400.
"""

import re
from functools import cache
from typing import Any

import msgspec

from gembill.errors import Refusal

Json = Any  # decoded JSON: its shape is what the readers find out
Object = dict[str, Json]


def decode(body: bytes) -> Object:
    """The JSON object of a body; raises `Refusal` (400) for anything else."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise bad("Invalid JSON payload received. The body cannot be read as JSON.") from reason
    if not isinstance(document, dict):
        raise bad("Invalid JSON payload received. The root element must be an object.")
    return document


def value(holder: Object, name: str) -> Json:
    """A field of any type by its camelCase name; None when neither spelling is there."""
    own = holder.get(name)
    return holder.get(_snake(name)) if own is None else own


def entry(holder: Object, name: str) -> Object:
    """An object; empty when absent."""
    field = value(holder, name)
    if field is None:
        return {}
    if isinstance(field, dict):
        return field
    raise _wrong(name, "an object")


def entries(holder: Object, name: str) -> list[Object]:
    """A list of objects; empty when absent."""
    field = value(holder, name)
    if field is None:
        return []
    if isinstance(field, dict):  # the API takes one object for a list of one
        return [field]
    if isinstance(field, list) and all(isinstance(item, dict) for item in field):
        return field
    raise _wrong(name, "a list of objects")


def text(holder: Object, name: str) -> str:
    """A string; empty when absent."""
    field = value(holder, name)
    if field is None:
        return ""
    if isinstance(field, str):
        return field
    raise _wrong(name, "a string")


def integer(holder: Object, name: str) -> int | None:
    """An integer, or None when absent."""
    field = value(holder, name)
    if field is None or (isinstance(field, int) and not isinstance(field, bool)):
        return field
    raise _wrong(name, "an integer")


def bad(message: str) -> Refusal:
    """The refusal of a request that says something wrong."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def _wrong(name: str, wanted: str) -> Refusal:
    return bad(f"Invalid JSON payload received. Invalid value at '{name}': it must be {wanted}.")


@cache
def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
