"""Reading fields of decoded JSON.

Owns: bodies as JSON objects, and typed access to a field in camelCase or snake_case. Not here: what a field means.
Invariant: any JSON gives a value of the type asked for or a `Refusal` with Google's status 400.

Google's reader is more lenient than JSON is (wire.md 5.4): a comma may follow the last entry of an object or a list
(the first curl of the documentation has one), texts may have single quotes, names none, and a number may come as a
string (the JSON mapping of Protocol Buffers).
"""

import re
from functools import cache
from typing import Any

import msgspec

from gembill.errors import Refusal

Json = Any  # decoded JSON: its shape is what the readers find out
Object = dict[str, Json]

# What stays (a text to its end, an opening bracket with a comma), a text in single quotes, a bare name, a last comma.
_LENIENT = re.compile(
    rb"""("[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[{]\s*,)"""
    rb"""|'([^'\\]*(?:\\.[^'\\]*)*)'|([A-Za-z_$][\w$]*)(?=\s*:)|,(?=\s*[}\]])""",
    re.DOTALL,
)
_QUOTE = re.compile(rb"""\\(.)|(")""", re.DOTALL)
_INTEGER = re.compile(r"-?\d{1,18}")


def decode(body: bytes) -> Object:
    """The JSON object of a body; raises `Refusal` (400) for anything else."""
    try:
        document = _decode(body)
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
    if isinstance(field, str) and _INTEGER.fullmatch(field):
        return int(field)
    if isinstance(field, float) and field.is_integer():
        return int(field)
    if field is None or (isinstance(field, int) and not isinstance(field, bool)):
        return field
    raise _wrong(name, "an integer")


def bad(message: str) -> Refusal:
    """The refusal of a request that says something wrong."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def _decode(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        lenient = _LENIENT.sub(_strict, body)
        if lenient == body:
            raise
        return msgspec.json.decode(lenient)


def _strict(match: re.Match[bytes]) -> bytes:
    """A piece of a lenient body in strict JSON."""
    if match[1] is not None:
        return match[1]
    if match[2] is not None:
        return b'"' + _QUOTE.sub(lambda each: b'\\"' if each[2] else each[0].replace(b"\\'", b"'"), match[2]) + b'"'
    return b'"' + match[3] + b'"' if match[3] else b""


def _wrong(name: str, wanted: str) -> Refusal:
    return bad(f"Invalid JSON payload received. Invalid value at '{name}': it must be {wanted}.")


@cache
def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
