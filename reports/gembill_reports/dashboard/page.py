"""A page before it is drawn.

Owns: what a page hands to its template, and its JSON and CSV. Not here: content. Invariant: what a browser is shown,
the JSON and the CSV are made from the same values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gembill_reports.charts import Chart
from gembill_reports.layout.sheet import count, money

NO_CALL = "No call fits this period and filter. Choose another period, or leave out a part of the filter."
"""What a table without a row says, where it lists what calls are of."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a table shows in one place. `number` is right-aligned; `link` leads on; `mark` names its style.

    `order` is the number by which rows are sorted, None where it is not known; words are sorted by their text. `money`
    in a heading marks the amount that comes first where rows are shown as cards. `more` are lines that can be unfolded.
    """

    text: str
    number: bool = False
    link: str | None = None
    mark: str = ""
    order: int | None = None
    money: bool = False
    more: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What is around a table that can be sorted and searched.

    `summary` says how many rows there are; `column` is the place of the heading by which they are sorted. The search
    is a form to `action` with the parameter `find`, which keeps the pairs `kept`; without `find` there is none.
    """

    summary: str
    column: int | None = None
    descending: bool = False
    action: str = ""
    find: str = ""
    sought: str = ""
    kept: Sequence[tuple[str, str]] = ()
    previous: str | None = None
    onward: str | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: headings (some with a link that sorts), rows of cells, and a total or None.

    With a `name` its rows can be sorted, searched and paged through: parameters of the address begin with the name.
    `noun` is what its rows are, in the plural. `tools` are what a page shows for that.
    """

    caption: str
    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    empty: str = NO_CALL
    name: str = ""
    noun: str = "rows"
    tools: Tools | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A figure with its name, a sentence below it, and the token kind whose colour it has; `change` is what it was in
    the period before."""

    name: str
    figure: str
    note: str = ""
    kind: str = ""
    link: str | None = None
    change: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Title, template and content of a page, its JSON, and the rows of its CSV with their header.

    `dated` is the time that it is about, in words, where that is not the period of the address.
    """

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
    dated: str = ""


def text(value: object, link: str | None = None, mark: str = "") -> Cell:
    """A cell of words."""
    return Cell(str(value), link=link, mark=mark)


def number(value: str, link: str | None = None, mark: str = "") -> Cell:
    """A cell with a number already written."""
    return Cell(value, number=True, link=link, mark=mark)


def counted(value: int | None, link: str | None = None, mark: str = "") -> Cell:
    """A cell with a count."""
    return Cell(count(value), number=True, link=link, mark=mark, order=value)


def dollars(pico: int | None, link: str | None = None, mark: str = "") -> Cell:
    """A cell with an amount of pico-dollars."""
    return Cell(money(pico), number=True, link=link, mark=mark, order=pico)


def money_head(title: str) -> Cell:
    """The heading of the amount that a row is about."""
    return Cell(title, number=True, money=True)
