"""A page before it is drawn.

Owns: what a page hands to its template, and its JSON and CSV. Not here: content. Invariant: what a browser is shown,
the JSON and the CSV are made from the same values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gembill_reports.charts import Chart


@dataclass(frozen=True, slots=True)
class Cell:
    """What a table shows in one place. `number` is right-aligned; `link` leads on; `mark` names its style."""

    text: str
    number: bool = False
    link: str | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: headings (some with a link that sorts), rows of cells, and a total or None."""

    caption: str
    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    empty: str = "No call was recorded in this period."


@dataclass(frozen=True, slots=True)
class Card:
    """A figure with its name, a sentence below it, and the token kind whose colour it has."""

    name: str
    figure: str
    note: str = ""
    kind: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Title, template and content of a page, its JSON, and the rows of its CSV with their header."""

    name: str
    title: str
    template: str
    data: Mapping[str, Any]
    header: Sequence[str]
    rows: Iterable[Mapping[str, Any]]
    cards: Sequence[Card] = ()
    charts: Sequence[Chart] = ()
    grids: Sequence[Grid] = ()
    notes: Sequence[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


def text(value: object, link: str | None = None, mark: str = "") -> Cell:
    """A cell of words."""
    return Cell(str(value), link=link, mark=mark)


def number(value: str, link: str | None = None, mark: str = "") -> Cell:
    """A cell with a number already written."""
    return Cell(value, number=True, link=link, mark=mark)
