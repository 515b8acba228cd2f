"""Calls of the user's functions.

Owns: which declared function a simulated model calls, and with which arguments. Not here: the JSON of an answer.
Invariant: pure; arguments have the names and JSON types that the declaration asks for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    """A declared function; `parameters` is its JSON schema, in either spelling of the types."""

    name: str
    parameters: dict[str, Any]


def choose(functions: Sequence[Function], question: str, *, forced: bool) -> Function | None:
    """The first function that shares a word with the question; the first of all when a call is forced."""
    words = set(_words(question))
    for function in functions:
        if words.intersection(_words(re.sub(r"([a-z])([A-Z])", r"\1 \2", function.name))):
            return function
    return functions[0] if forced and functions else None


def arguments(function: Function, question: str) -> dict[str, Any]:
    """Arguments out of the question: its last capitalized word, its first number."""
    names = re.findall(r"(?<=\s)[A-Z][a-z]+", question)
    number = re.search(r"\d{1,9}", question)
    made: dict[str, Any] = {
        "string": names[-1] if names else "example",
        "integer": int(number[0]) if number else 1,
        "number": int(number[0]) if number else 1,
        "boolean": True,
        "array": [],
        "object": {},
    }
    properties = function.parameters.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: made.get(_type(schema), made["string"]) for name, schema in properties.items()}


def _type(schema: object) -> str:
    return str(schema.get("type", "")).lower() if isinstance(schema, dict) else ""


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in ("get", "the", "set", "for")]
