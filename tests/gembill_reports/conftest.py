"""Fixtures of the tests of reports: a ledger, and the looks of tables that are kept as files.

Owns: how a sheet is held against its snapshot, and what every table keeps to at every width. Not here: sheets.
Invariant: a snapshot changes only where GEMBILL_UPDATE_SNAPSHOTS is set; then read the difference.
"""

import os
import re
from collections.abc import Callable, Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
from rich.cells import cell_len

from gembill.ledger import Ledger, open_ledger
from gembill_reports.layout.sheet import Sheet
from gembill_reports.layout.tables import Table

WIDTHS = (60, 80, 100, 140)
FOLDED = 12  # a column of text is folded to so many cells before a table may go over the edge
SNAPSHOTS = Path(__file__).parent / "snapshots"
Snapshots = Callable[..., None]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def snapshot() -> Snapshots:
    """`snapshot(name, *sheets)`: what a command prints of them at each width is what `snapshots/NAME.txt` holds."""

    def compare(name: str, *sheets: Sheet) -> None:
        for sheet in sheets:
            _check(sheet)
        text = "\n".join(f"{f'[ {width} columns ]':=^{width}}\n\n{_printed(sheets, width)}" for width in WIDTHS)
        path = SNAPSHOTS / f"{name}.txt"
        if os.environ.get("GEMBILL_UPDATE_SNAPSHOTS"):
            path.write_text(text, encoding="utf-8", newline="\n")
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != kept:
            difference = "\n".join(unified_diff(kept.splitlines(), text.splitlines(), path.name, "now", lineterm=""))
            again = "If that is meant, GEMBILL_UPDATE_SNAPSHOTS=1 before pytest writes it again."
            pytest.fail(f"{name} looks otherwise than in {path.name}:\n{difference}\n{again}", pytrace=False)

    return compare


def _printed(sheets: tuple[Sheet, ...], width: int) -> str:
    return "\n".join(sheet.terminal(width) for sheet in sheets)  # as commands with several sheets do


def _check(sheet: Sheet) -> None:
    """Lines fit the width unless nothing is left to fold or to drop, and numbers stand whole or not at all."""
    edge = _narrowest(sheet.table)
    shown: set[str] = set()
    for width in WIDTHS:
        text = sheet.terminal(width)
        table = _table(text)
        for line in text.splitlines():
            assert cell_len(line) <= width or line in table or len(line.split()) == 1, f"too wide for {width}: {line}"
        assert all(cell_len(line) <= max(width, edge) for line in table), f"over {width}, and {edge} would do"
        before, shown = shown, _shown(sheet, table)
        assert before <= shown, f"{width} columns do not show {before - shown}, and fewer do"
        _check_rows(sheet, table, shown)


def _narrowest(table: Table) -> int:
    """The cells a table needs when everything has given way that may: columns with a priority, long texts folded."""
    sizes = []
    for at, column in enumerate(table.columns):
        if column.priority is None:
            cells = [column.title, *(row[at] for row in table.rows), *([table.total[at]] if table.total else [])]
            longest = max(map(cell_len, cells))
            sizes.append(min(longest, FOLDED) if column.folds else longest)
    return sum(sizes) + 2 * (len(sizes) - 1)


def _table(text: str) -> list[str]:
    """The lines of the table within a sheet: the paragraph with a rule in it; none where there is no row."""
    return [line for block in text.split("\n\n") if "───" in block for line in block.splitlines()]


def _shown(sheet: Sheet, table: list[str]) -> set[str]:
    """The titles of the columns of numbers that the table has."""
    head = next((n for n, line in enumerate(table) if line.startswith("───")), 0)
    words = "".join(f"  {line}  " for line in table[:head])
    titles = [column.title for column in sheet.table.columns if not column.text]
    assert len(set(titles)) == len(titles)
    return {title for title in titles if f"  {title}  " in words}


def _check_rows(sheet: Sheet, table: list[str], shown: set[str]) -> None:
    """Each row, and the total, has a line with all its shown numbers: whole, and in the order of the columns."""
    lines = iter(table)
    for row in (*sheet.table.rows, *([sheet.table.total] if sheet.table.total else [])):
        cells = [cell for column, cell in zip(sheet.table.columns, row, strict=True) if column.title in shown and cell]
        whole = re.compile(".*".join(rf"(?<!\S){re.escape(cell)}(?!\S)" for cell in cells))
        assert any(whole.search(line) for line in lines), f"not whole in a table of {shown}: {row}"
