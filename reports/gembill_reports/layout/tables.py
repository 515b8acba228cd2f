"""Tables: columns and cells as a terminal, Markdown or CSV shows them.

Owns: which columns fit a width, how cells are set, and making foreign text harmless (escape sequences, control
characters, Markdown, spreadsheet formulas). Not here: numbers, which arrive as finished text. Invariant: a narrow
terminal loses whole columns, in the order of their priority, and never a digit of one that is shown.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # JSON and CSV do not wait for rich
    from rich.table import Table as RichTable

MISSING = "(unknown)"
_GAP = 2  # cells between columns: the box's divider and one of padding
_ROOMY = 32  # a text column this wide is worth dropping numbers for; what is longer is folded instead
_NARROW = 12  # a text column is folded down to this; then the table goes over the edge rather than break a number
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = re.compile(r"[\\|`*<>\[\]~#]|(?<!\w)_|_(?!\w)")


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and how its cells are set. The heading may be foreign text too: the name of a label.

    Where there is no room the lowest `priority` goes first; None stays always. `text` is set left and may be folded
    over several lines, unless it is of use only as a `whole`, such as an id; anything else is set right and is never
    broken. `styles` are colours of cells by what they say, on a terminal that shows colours; the words say it too.
    """

    title: str
    priority: int | None = None
    text: bool = False
    whole: bool = False
    styles: Mapping[str, str] | None = None

    @property
    def folds(self) -> bool:
        """Whether its cells may take several lines."""
        return self.text and not self.whole


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, the rows of their cells, and a last row that sums them up or None."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Foreign text is made harmless here, before anything measures or draws it."""
        object.__setattr__(self, "rows", tuple(tuple(map(clean, row)) for row in self.rows))
        if self.total is not None:
            object.__setattr__(self, "total", tuple(map(clean, self.total)))


def clean(text: str) -> str:
    """The text with every character that is not visible written out: `\\x1b`, `\\n`, `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def terminal(table: Table, width: int, *, color: bool = False) -> str:
    """The table in `width` cells wherever that is possible without breaking a number. Ends with a newline."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    table = _summed_up(table)
    sizes = _sizes(table, width)
    drawing = RichTable(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    drawing.show_footer = table.total is not None
    for at, size in sizes.items():
        column = table.columns[at]
        drawing.add_column(
            Text(clean(column.title)),
            footer=Text(table.total[at] if table.total else ""),
            justify="left" if column.text else "right",
            width=size,
            no_wrap=not column.folds,
            overflow="fold",
        )
    for row in table.rows:
        drawing.add_row(*(Text(row[at], style=_style(table.columns[at], row[at])) for at in sizes))
    return _drawn(drawing, _across(sizes), color=color)


def shown_titles(table: Table, width: int) -> list[str]:
    """The titles of the columns that `terminal` shows in this width."""
    sizes = _sizes(_summed_up(table), width)
    return [table.columns[at].title for at in sizes]


def _summed_up(table: Table) -> Table:
    """The table; where there is nothing to sum up, the sum is its only row."""
    return Table(table.columns, (table.total,)) if table.total and not table.rows else table


def _style(column: Column, cell: str) -> str:
    return (column.styles or {}).get(cell, "")


def markdown(table: Table) -> str:
    """The whole table in Markdown; the last row in bold. Ends with a newline."""
    lines = [[escaped(column.title) for column in table.columns], [":---" if c.text else "---:" for c in table.columns]]
    lines += [[escaped(cell) for cell in row] for row in table.rows]
    if table.total is not None:
        lines.append([f"**{escaped(cell)}**" if cell else "" for cell in table.total])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKDOWN.sub(lambda match: "\\" + match[0], clean(text))


def csv_lines(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """CSV line by line, the header first. None is empty; text that a spreadsheet would run gets a `'`."""
    yield _csv_line(header)
    for row in rows:
        yield _csv_line([row[key] for key in header])


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A row of JSON with its inner objects joined by `_`: `{"tokens": {"input": 1}}` is `{"tokens_input": 1}`."""
    joined: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            joined |= flat(value, f"{prefix}{key}_")
        else:
            joined[prefix + key] = value
    return joined


def _csv_line(cells: Iterable[Any]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_csv_cell(cell) for cell in cells])  # quotes what has either
    return line.getvalue().removesuffix("\r\n") + "\n"


def _csv_cell(cell: Any) -> Any:  # noqa: ANN401
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def _sizes(table: Table, width: int) -> dict[int, int]:
    """The columns that are shown and their widths in cells."""
    natural = _natural(table)
    texts = {at for at, column in enumerate(table.columns) if column.folds}
    sizes = {at: min(size, _ROOMY) if at in texts else size for at, size in enumerate(natural)}
    for at in sorted(sizes, key=lambda at: table.columns[at].priority or 0):
        if _across(sizes) > width and table.columns[at].priority is not None:
            del sizes[at]
    for at in sorted(texts & set(sizes), key=lambda at: (not _has_words(table, at), at)):
        room = width - _across(sizes) + sizes[at]
        sizes[at] = max(min(natural[at], room), min(natural[at], _NARROW))
    return sizes


def _has_words(table: Table, at: int) -> bool:
    """Whether cells of the column have blanks, at which they fold more readably than a name does in its middle."""
    return any(" " in row[at] for row in table.rows)


def _natural(table: Table) -> list[int]:
    from rich.cells import cell_len

    lines = [tuple(clean(column.title) for column in table.columns), *table.rows]
    if table.total is not None:
        lines.append(table.total)
    return [max(map(cell_len, cells)) for cells in zip(*lines, strict=True)]


def _across(sizes: Mapping[int, int]) -> int:
    return sum(sizes.values()) + _GAP * (len(sizes) - 1)


def _drawn(drawing: "RichTable", width: int, *, color: bool) -> str:
    from rich.console import Console

    page = StringIO()
    Console(
        file=page,
        width=width + _GAP,
        height=1000,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        emoji=False,
        highlight=False,
        markup=False,
    ).print(drawing)
    return "".join(line.rstrip() + "\n" for line in page.getvalue().splitlines())
