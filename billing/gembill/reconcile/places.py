"""Which models a comparison tells apart by project and by location.

Owns: when a project or location may part a cell. Not here: cells (`cell`) and what is billed elsewhere
(`naming_residues`). Invariant: a model is parted only where every line and every charge of it names the place and both
sides name a common one; what one side cannot say, as a report or a key of the Gemini API, never makes a difference.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where a model was called; None is not known."""

    model: str
    project: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class Places:
    """The models whose cells have a project, and those whose cells have a location."""

    by_project: frozenset[str] = frozenset()
    by_location: frozenset[str] = frozenset()

    @classmethod
    def of(cls, billed: Iterable[Place], ours: Iterable[Place]) -> "Places":
        """What both sides tell apart. One place on both sides needs no cell of its own."""
        theirs, own = set(billed), set(ours)
        projects, locations = (
            _common(*({(place.model, place[field]) for place in side} for side in (theirs, own))) for field in (1, 2)
        )
        return cls(projects, locations)

    def __bool__(self) -> bool:
        return bool(self.by_project or self.by_location)

    def named(self, place: Place) -> tuple[str, str]:
        """The project and the location that the cell of a place has; empty where its model is not parted by it."""
        project = (place.project or "") if place.model in self.by_project else ""
        return project, (place.location or "") if place.model in self.by_location else ""


def _common(billed: set[tuple[str, str | None]], ours: set[tuple[str, str | None]]) -> frozenset[str]:
    theirs, own = _by_model(billed), _by_model(ours)
    return frozenset(model for model, names in own.items() if _parts(names, theirs.get(model, set())))


def _by_model(pairs: Iterable[tuple[str, str | None]]) -> dict[str, set[str | None]]:
    names: dict[str, set[str | None]] = defaultdict(set)
    for model, name in pairs:
        names[model].add(name or None)
    return names


def _parts(ours: set[str | None], billed: set[str | None]) -> bool:
    return bool(ours & billed) and None not in ours | billed and len(ours | billed) > 1
