"""JSON text from outside, read without trust.

Owns: decoding to plain values, and cleaning of words that are kept. Not here: the names of fields. Invariant: nothing
here raises on any input; what cannot be read is None.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder()
_LONGEST_INTEGER = 30
_LONGEST_LENIENT = 512 * 1024  # bytes: to rewrite more would hold up other calls
_DEEP = 500  # values nested too deeply for a decoder have more brackets than that
_DEEPEST = 200_000  # counting more would hold up other calls
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)
_LENIENT = re.compile(
    rb"""(?P<text>"(?:[^"\\]|\\.)*(?:"|\\?\Z))"""  # also one that does not end: every piece is read once
    rb"""|'(?P<single>(?:[^'\\]|\\.)*)(?:'|\\?\Z)"""
    rb"""|(?P<comma>,)(?=\s*[}\]])"""
    rb"""|(?P<word>[A-Za-z_$][\w$]*)(?P<colon>\s*:)?""",
    re.DOTALL,
)
_ELIDED_BEGINS = "elided:"
_ELIDED = re.compile(r"elided:(\d+):[0-9a-f]{16}")


def elided(length: int, digest: str) -> bytes:
    """What replaces a string too long to keep: its length in bytes and a digest of 16 hex digits."""
    return b"elided:%d:%s" % (length, digest.encode())


def size(text: object) -> int:
    """The characters of a string (the bytes of an elided one); 0 for anything else."""
    if not isinstance(text, str):
        return 0
    match = _ELIDED.fullmatch(text) if text[:7] == _ELIDED_BEGINS else None
    return int(match[1]) if match else len(text)


def is_elided(text: str) -> bool:
    """Whether a string stands for one that was too long to keep."""
    return text[:7] == _ELIDED_BEGINS and _ELIDED.fullmatch(text) is not None


def fields(text: bytes, *, deep: bool = False) -> dict[str, msgspec.Raw] | None:
    """The members of a JSON object, each still text; None if it is not an object.

    With `deep`, a member that is nested too deeply to be decoded does not hide the others.
    """
    try:
        return _fields.decode(text)
    except RecursionError:
        return _split(text) if deep else None
    except (msgspec.MsgspecError, UnicodeError):
        decoded = value(text)
    if isinstance(decoded, dict):
        return {name: _reencoded(inner) for name, inner in decoded.items()}
    return _split(text) if deep and decoded is None and text.count(b"[") + text.count(b"{") > _DEEP else None


def lenient_fields(text: bytes | None) -> dict[str, msgspec.Raw] | None:
    """The members of a JSON object, each still text, as Google's reader has them (wire.md 5.4); None without an object.

    Commas may trail, texts may have single quotes, names none. Time grows with the length of the text and no faster,
    whatever it holds.
    """
    if text is None:
        return None
    members = fields(text)
    if members is not None or len(text) > _LONGEST_LENIENT:
        return members
    return fields(_LENIENT.sub(_strict, text))


def items(text: bytes | msgspec.Raw) -> list[msgspec.Raw] | None:
    """The items of a JSON array, each still text; None if it is not an array."""
    try:
        return _items.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        decoded = value(text)
    return [_reencoded(inner) for inner in decoded] if isinstance(decoded, list) else None


def value(text: bytes | msgspec.Raw | None) -> Any:  # noqa: ANN401
    """The value of a JSON text, lone surrogates and all; None if there is none or it cannot be read.

    An integer of more than 64 bits may come as a float.
    """
    if text is None:
        return None
    try:
        return _anything.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    try:  # the standard library reads what strict decoders refuse: lone surrogates, NaN, half characters
        return json.loads(bytes(text).decode("utf-8", "replace"), parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def either(members: Mapping[str, msgspec.Raw], *names: str) -> msgspec.Raw | None:
    """The member of the first of these names that is there and not null: Google takes camelCase and snake_case."""
    texts = (members[name] for name in names if name in members)
    return next((text for text in texts if bytes(text) != b"null"), None)


def word(value: Any, limit: int = 256) -> str | None:  # noqa: ANN401
    """A short text fit for any database (no NUL, no lone surrogate, at most `limit` characters), else None."""
    if value is None:
        return None
    if type(value) is str and value.isascii() and "\0" not in value:
        return value[:limit] or None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        return None
    return value.replace("\0", "")[:limit].encode("utf-8", "replace").decode() or None


def integer(value: Any) -> int | None:  # noqa: ANN401
    """A whole number of at most 64 bits, else None; `true` is not one."""
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def whole(value: Any, most: int) -> int | None:  # noqa: ANN401
    """A whole number of 0 to `most` that may come as text or as a float, as Google's JSON writes numbers; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= most else None


def mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The objects of a list, anything else left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mappings_or_one(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The same of a request's list, for which Google also takes one object (wire.md 5.4)."""
    return mappings([value] if isinstance(value, dict) else value)


def _split(text: bytes) -> dict[str, msgspec.Raw] | None:
    """The members of an object, split by counting brackets; None if those do not close."""
    if text.count(b"[") + text.count(b"{") > _DEEPEST:
        return None
    text = text.strip()
    members: dict[str, msgspec.Raw] = {}
    depth, name, start = 0, None, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if depth == 1 and token == b":" and name is None:
            name, start = value(text[start : match.start()]), match.end()
        elif depth == 1 and token in (b",", b"}"):
            if isinstance(name, str):
                members[name] = msgspec.Raw(text[start : match.start()].strip())
            name, start = None, match.end()
        if token in (b"{", b"["):
            start = match.end() if depth == 0 else start
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return members if text.startswith(b"{") and match.end() == len(text) else None
    return None


def _strict(match: re.Match[bytes]) -> bytes:
    if match["comma"]:
        return b""
    if (single := match["single"]) is not None:
        return b'"' + re.sub(rb"\\(.)|(\")", _requoted, single, flags=re.DOTALL) + b'"'
    return b'"' + match["word"] + b'"' + match["colon"] if match["colon"] else match[0]


def _requoted(match: re.Match[bytes]) -> bytes:
    """A character of a text in single quotes, for double ones."""
    if match[2]:
        return b'\\"'
    return b"'" if match[1] == b"'" else match[0]


def _reencoded(value: Any) -> msgspec.Raw:  # noqa: ANN401
    """A value as JSON text again, in ASCII and with sorted keys."""
    try:
        return msgspec.Raw(json.dumps(value, sort_keys=True).encode())
    except RecursionError:
        return msgspec.Raw(b"null")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)  # int() of long ones is refused
