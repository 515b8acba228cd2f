"""Reported token counts, checked.

Owns: the usage JSON of an answer as checked integers. Not here: field names of a dialect. Invariant: every count
returned is an int with 0 <= n <= 2^53; anything else makes the whole usage invalid (contract.md, Integers only).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gembill.model import Modality

LARGEST = 2**53
_COUNT = re.compile(rb'"\w*(?:[Cc]ount|_tokens)"\s*+:\s*+(?!null)')
_LONGEST_INTEGER = 30
_MODALITIES = {1: Modality.TEXT, 2: Modality.IMAGE, 3: Modality.VIDEO, 4: Modality.AUDIO, 5: Modality.DOCUMENT}
_WORDS = {kind.value: kind for kind in Modality} | {"modality_unspecified": Modality.TEXT}
_NAMED = ((Modality.AUDIO, "audio_tokens"), (Modality.IMAGE, "image_tokens"))
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class InvalidUsage(Exception):
    """A count is not an integer of 0 to 2^53. The text names the field."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The usage in the provider's own terms; None is "not reported". Details are tokens by modality."""

    prompt: int | None = None
    cached: int | None = None
    tool_use: int | None = None
    candidates: int | None = None
    thoughts: int | None = None
    total: int | None = None
    prompt_details: dict[Modality, int] = {}
    cached_details: dict[Modality, int] = {}
    tool_use_details: dict[Modality, int] = {}
    candidates_details: dict[Modality, int] = {}
    service_tier: str | None = None
    groundings: int | None = None  # searches of the web, where the usage itself counts them
    hidden: int = 0  # of the thoughts, those that only the total shows
    maps: int | None = None  # uses of Maps, likewise
    unclear_uses: int = 0  # entries of these that do not say what is charged for

    @property
    def is_empty(self) -> bool:
        """Whether it holds no count at all."""
        counts = (self.prompt, self.tool_use, self.candidates, self.thoughts, self.total)
        return counts.count(None) == len(counts)


def parse(text: str) -> dict[str, Any]:
    """The usage object of a JSON text; InvalidUsage if it is not one. Numbers are checked when they are taken."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _parse_leniently(text)


def _parse_leniently(text: str) -> dict[str, Any]:
    """What strict decoders refuse and the standard library reads: NaN, lone surrogates."""
    try:
        usage = json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        raise InvalidUsage("usage is not a JSON object") from None
    if not isinstance(usage, dict):
        raise InvalidUsage("usage is not a JSON object")
    return usage


def has_counts(text: bytes) -> bool:
    """Whether a usage object, of any dialect, has a count that is not null: an answer may report the tier alone."""
    return _COUNT.search(text) is not None


def count(usage: Mapping[str, Any], name: str) -> int | None:
    """One count of a usage object, None where it is absent."""
    return _checked(name, usage.get(name))


def counts(usage: Mapping[str, Any], names: Sequence[str]) -> list[int | None]:
    """Several counts of a usage object, each None where it is absent."""
    numbers = list(map(usage.get, names))
    for place, number in enumerate(numbers):
        if number is not None and (type(number) is not int or not 0 <= number <= LARGEST):
            _checked(names[place], number)
    return numbers


def details(usage: Mapping[str, Any], name: str, quantity: str = "tokenCount") -> dict[Modality, int]:
    """A list of `{modality, tokenCount}` as tokens by modality."""
    entries = usage.get(name)
    if not isinstance(entries, list):
        return {}
    tokens: dict[Modality, int] = {}
    for entry in entries:
        if isinstance(entry, dict):
            modality = _modality(entry.get("modality"))
            more = _checked(name, entry.get(quantity)) or 0
            tokens[modality] = _checked(name, tokens[modality] + more) or 0 if modality in tokens else more
    return tokens


def named_details(counts: Mapping[str, Any], count: int | None) -> dict[Modality, int]:
    """OpenAI's details of a count as tokens by modality: where they name a kind beside text, which is then the rest."""
    kinds = {kind: tokens for kind, name in _NAMED if (tokens := _checked(name, counts.get(name)))}
    return {**kinds, Modality.TEXT: max((count or 0) - sum(kinds.values()), 0)} if kinds else {}


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else -1  # out of range either way, and int() is quadratic


def _checked(name: str, number: Any) -> int | None:  # noqa: ANN401
    if number is None:
        return None
    if type(number) is not int or not 0 <= number <= LARGEST:
        raise InvalidUsage(f"{name} is not an integer of 0 to 2^53")
    return number


def _modality(word: Any) -> Modality:  # noqa: ANN401
    """TEXT where it is missing: old answers leave it out for text, all recorded ones name it."""
    if word == "TEXT":  # nearly always
        return Modality.TEXT
    if isinstance(word, int):
        return _MODALITIES.get(word, Modality.OTHER if word else Modality.TEXT)
    return _WORDS.get(word.lower(), Modality.OTHER) if isinstance(word, str) else Modality.TEXT
