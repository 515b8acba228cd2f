"""The one door from a result to text.

Owns: the formats, what a view offers for them, and how each of them becomes text. Not here: what a result says (the
views beside this file). Invariant: nobody else chooses by the format, so that a new one is added here alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # JSON and CSV do not wait for the drawing of tables
    from gembill_reports.layout.sheet import Sheet


class Format(StrEnum):
    """How a command can be asked to write its result."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    GITHUB = "github"

    @property
    def is_data(self) -> bool:
        """Whether it holds rows for programs alone, and no sentence about them."""
        return self in (Format.JSON, Format.CSV)


USUAL = (Format.TABLE, Format.JSON, Format.CSV, Format.MARKDOWN)
"""What almost every command can write."""


@dataclass(frozen=True, slots=True)
class Csv:
    """A header and rows that have (at least) its keys. Rows may be an iterator, which is read once."""

    header: Sequence[str]
    rows: Iterable[Mapping[str, Any]]


class View(Protocol):
    """A result that can be shown. A view calculates nothing: it holds finished values, or reads them one by one."""

    def json(self) -> Any:  # noqa: ANN401
        """What its JSON document holds; or, as an iterator, the document's text where it is too large to be held."""

    def csv(self) -> Csv:
        """Its rows for a spreadsheet."""

    def sheets(self) -> Sequence["Sheet"]:
        """Its tables and their notes for people, in a terminal or in Markdown."""

    def special(self) -> Mapping[Format, Callable[[], Iterable[str]]]:
        """The texts of other formats, or of one that this view writes in a way of its own."""
        return {}


def text(view: View, form: Format) -> Iterator[str]:
    """The view in a format, piece by piece. KeyError for a format that the view does not have."""
    return iter((view.special().get(form) or _usual(view)[form])())


def write(view: View, form: Format) -> None:
    """Write the view to stdout; a table is as wide as the terminal."""
    from gembill_reports.layout import screen

    screen.write_as(form, text(view, form))


def _usual(view: View) -> Mapping[Format, Callable[[], Iterable[str]]]:
    return {
        Format.TABLE: lambda: _table(view),
        Format.JSON: lambda: _json(view.json()),
        Format.CSV: lambda: _csv(view.csv()),
        Format.MARKDOWN: lambda: ["\n".join(sheet.markdown() for sheet in view.sheets())],
    }


def _table(view: View) -> Iterator[str]:
    from gembill_reports.layout import screen

    width, color = screen.width(), screen.colored()
    yield "\n".join(sheet.terminal(width, color=color) for sheet in view.sheets())


def _json(value: object) -> Iterator[str]:
    if isinstance(value, Iterator):
        yield from value
    else:
        yield json.dumps(value, indent=2) + "\n"


def _csv(rows: Csv) -> Iterator[str]:
    from gembill_reports.layout.tables import csv_lines

    return csv_lines(rows.header, rows.rows)
