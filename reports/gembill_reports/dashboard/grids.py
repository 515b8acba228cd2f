"""Tables that are sorted, searched and paged through by their address.

Owns: which rows of a table a page shows and in which order, how many there are, and the links and the form that change
that; it needs no script. Not here: cells and markup; lists too long for memory (`call_pages`) sort and search in SQL.
Invariant: nothing is left out unsaid: the summary counts all rows, and a page's CSV and JSON hold them all, in the
order of the report, whatever the table shows. Rows whose value is not known come last in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gembill.errors import ConfigurationError
from gembill_reports.dashboard.page import Cell, Grid, Tools
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count

SIZE = 100  # rows of a table on one page
_DIRECTIONS = {"up": False, "down": True}


def arranged(grid: Grid, view: PageQuery, path: str) -> Grid:
    """The rows of a table that has a name as the address wants them, with its tools; any other table as it is."""
    if not grid.name or not grid.rows:
        return grid
    words = _Words(grid.name)
    sought = view.rest.get(words.find, "")
    column, descending = _sorting(grid, view, words)
    rows = [row for row in grid.rows if _fits(row, sought)]
    if column is not None:
        rows = _sorted(rows, column, descending=descending)
    first = _page(view, words, len(rows)) * SIZE
    tools = Tools(
        summary=_summary(grid, rows, first),
        column=column,
        descending=descending,
        action=f"{path}#{grid.name}",
        find=words.find if len(grid.rows) > 1 else "",
        sought=sought,
        kept=kept(view, words.find, words.page),
        previous=_page_link(view, path, words, first // SIZE - 1) if first else None,
        onward=_page_link(view, path, words, first // SIZE + 1) if first + SIZE < len(rows) else None,
    )
    heads = [_head(grid, place, view, (path, words, column, descending)) for place in range(len(grid.heads))]
    nothing = f"Nothing fits '{sought}'." if sought else grid.empty
    total = grid.total if not sought else None  # it is that of all rows
    return replace(grid, heads=heads, rows=rows[first : first + SIZE], total=total, empty=nothing, tools=tools)


def kept(view: PageQuery, *without: str) -> list[tuple[str, str]]:
    """What a form keeps of the address: all but what it asks for itself."""
    return [(key, value) for key, value in (*view.chosen, *view.rest.items()) if key not in without]


@dataclass(frozen=True, slots=True)
class _Words:
    """The parameters of one table."""

    name: str

    @property
    def sort(self) -> str:
        return f"{self.name}.sort"

    @property
    def find(self) -> str:
        return f"{self.name}.find"

    @property
    def page(self) -> str:
        return f"{self.name}.page"


def _slug(head: Cell) -> str:
    """What the address calls a column."""
    return "-".join(head.text.lower().split())


def _sorting(grid: Grid, view: PageQuery, words: _Words) -> tuple[int | None, bool]:
    """The column to sort by, and whether the largest comes first; None leaves the order of the report."""
    asked = view.rest.get(words.sort)
    if asked is None:
        return None, False
    slug, _, direction = asked.rpartition(".")
    names = [_slug(head) for head in grid.heads]
    if slug not in names or not slug or direction not in _DIRECTIONS:
        known = ", ".join(f"{name}.down" for name in names if name)
        raise ConfigurationError(f"'{asked}' is not a column to sort by; there are {known}")
    return names.index(slug), _DIRECTIONS[direction]


def _sorted(rows: Sequence[Sequence[Cell]], column: int, *, descending: bool) -> list[Sequence[Cell]]:
    known = [row for row in rows if _value(row[column]) is not None]
    unknown = [row for row in rows if _value(row[column]) is None]
    return sorted(known, key=lambda row: _value(row[column]), reverse=descending) + unknown  # type: ignore[arg-type,return-value]


def _value(cell: Cell) -> int | str | None:
    """What a row is sorted by: one column has numbers or words, never both."""
    return cell.order if cell.number else cell.text.casefold() or None


def _fits(row: Sequence[Cell], sought: str) -> bool:
    """Whether all words sought are in one of the row's texts each."""
    texts = [cell.text.casefold() for cell in row]
    return all(any(word in text for text in texts) for word in sought.casefold().split())


def _page(view: PageQuery, words: _Words, rows: int) -> int:
    """The page that the address asks for, from 0; the last one where there are fewer."""
    asked = view.rest.get(words.page, "1")
    if not asked.isascii() or not asked.isdecimal() or len(asked) > 9 or int(asked) < 1:
        raise ConfigurationError(f"{words.page} is '{asked}', which is not the number of a page; write it like 2")
    return min(int(asked) - 1, max(0, rows - 1) // SIZE)


def _page_link(view: PageQuery, path: str, words: _Words, page: int) -> str:
    link = view.to(path, (words.page, str(page + 1)), without=(words.page,), rest=True)
    return f"{link}#{words.name}"


def _summary(grid: Grid, rows: Sequence[Sequence[Cell]], first: int) -> str:
    """`12 models`, `3 of 12 models`, `101 to 200 of 312 models`."""
    whole = f"{count(len(grid.rows))} {grid.noun if len(grid.rows) != 1 else grid.noun.removesuffix('s')}"
    fitting = f"{count(len(rows))} of {whole}" if len(rows) < len(grid.rows) else whole
    if len(rows) <= SIZE:
        return fitting
    return f"{count(first + 1)} to {count(min(first + SIZE, len(rows)))} of {fitting}"


def _head(grid: Grid, place: int, view: PageQuery, asked: tuple[str, _Words, int | None, bool]) -> Cell:
    """A heading that sorts by its column: numbers the largest first, words from A; once more turns the order round."""
    path, words, column, descending = asked
    head = grid.heads[place]
    if not head.text or len(grid.rows) < 2:
        return head
    down = not descending if place == column else head.number
    pair = (words.sort, f"{_slug(head)}.{'down' if down else 'up'}")
    link = view.to(path, pair, without=(words.sort, words.page), rest=True)
    return replace(head, link=f"{link}#{words.name}")
