"""A sheet: a heading, a table and the sentences below it, with numbers written for people.

Owns: how a sheet is set in a terminal or in Markdown, and how counts, money and shares are written in cells. Not here:
content. Invariant: a written number is the exact count with thousands separators, or money in enough digits not to
look like zero; what is unknown is called unknown and never 0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from gembill.money import display, display_exact
from gembill_reports.layout.tables import Table, clean, escaped, markdown, shown_titles, terminal

UNKNOWN = "unknown"
DEMO = "DEMO DATA · "  # before the heading of whatever shows made-up calls
_DOT = " · "
_INDENT = re.compile(r" *(- )?")


@dataclass(frozen=True, slots=True)
class Footnote:
    """What the sign behind the title of a column means; it is said only where the column is shown."""

    column: str
    text: str


OUTPUT = Footnote("Output*", "* output with thinking")
WASTE = "~ estimate: the part of the cost of intermediate tokens that failed runs caused"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A heading, a table and the sentences below it."""

    heading: str
    table: Table
    notes: tuple[str, ...]
    footnotes: tuple[Footnote, ...] = ()

    def terminal(self, width: int, *, color: bool = False) -> str:
        """The sheet for a terminal of that many cells."""
        heading = "".join(f"{line}\n" for line in _headed(self.heading, width))
        table = f"\n{terminal(self.table, width, color=color)}" if self._filled else ""
        shown = shown_titles(self.table, width) if self._filled else []
        notes = "".join(f"{line}\n" for note in self._all_notes(shown) for line in _wrapped(note, width))
        return heading + table + (f"\n{notes}" if notes else "")

    def markdown(self) -> str:
        """The sheet for a pull request or a job summary."""
        shown = [column.title for column in self.table.columns] if self._filled else []
        notes = "".join(f"- {escaped(note.strip())}\n" for note in self._all_notes(shown))
        table = f"{markdown(self.table)}\n" if self._filled else ""
        return f"### {escaped(self.heading)}\n\n{table}{notes}"

    def _all_notes(self, shown: Sequence[str]) -> list[str]:
        """The footnotes of the columns that are shown, on one line, and the notes."""
        feet = "   ".join(one.text for one in self.footnotes if one.column in shown)
        return [*([feet] if feet else []), *self.notes]

    @property
    def _filled(self) -> bool:
        """Whether there is a table: one without any row says nothing, the notes say why there is none."""
        return bool(self.table.rows or self.table.total)


def count(number: int | None) -> str:
    """A count with thousands separators."""
    return UNKNOWN if number is None else f"{number:,}"


def money(pico: int | None) -> str:
    """An amount in cents, or in as many digits as make it more than zero."""
    return UNKNOWN if pico is None else display(pico)


def exact(pico: int | None) -> str:
    """An amount with every digit it has, at least cents, so that a column of them adds up."""
    return UNKNOWN if pico is None else display_exact(pico)


def rate(part: int, whole: int) -> str:
    """A count and its share: `266 (11.0%)`."""
    return f"{part:,} ({100 * part / whole:.1f}%)" if part and whole else f"{part:,}"


def percent(part: int, whole: int) -> str:
    """A share in whole percent, rounded half up; a non-zero share is not called 0%."""
    share = (200 * part + whole) // (2 * whole)
    return f"{share}%" if share or not part else "less than 1%"


def _headed(heading: str, width: int) -> list[str]:
    """The parts of a heading on as few lines as they fit on; only a part that is too long itself is wrapped."""
    lines: list[str] = []
    for part in clean(heading).split(_DOT):
        if lines and len(longer := f"{lines[-1]}{_DOT}{part}") <= width:
            lines[-1] = longer
        else:
            lines += _wrapped(part, width)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` where words allow it, indented as the first; nothing is broken within a word."""
    start = _INDENT.match(text)
    indent = " " * start.end() if start else ""
    return wrap(clean(text), width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
