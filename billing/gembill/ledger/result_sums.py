"""The size of what executions gave back, summed by the days of Google's bill.

Owns: the executions of the calls that have counts, by what tells the SKU of their output from others. Not here: how
large a result is (`gembill.rules.rating`, given as a function) and comparisons. Invariant: each call counts once, with
its current revision, in the group in which its output is charged.

Rows are read as they are in `entry`, without the view `record`, and some thousand at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gembill.ledger.errors import translated
from gembill.ledger.mapping import read_executions
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.ledger.usage_sums import CHOSEN_FROM, CURRENT, BillDay, chosen, pieces, read_words
from gembill.model import Execution, Meter, Modality
from gembill.reconcile.sums import Usage

if TYPE_CHECKING:
    from gembill.ledger.reading import Snapshot

Size = Callable[[tuple[Execution, ...]], int | None]
_IS_LONG = "CASE WHEN coalesce(c.tokens_input, 0) > 200000 THEN 1 ELSE 0 END"


def sum_results(
    ledger: Ledger,
    selection: Selection,
    days: Sequence[BillDay],
    size: Size,
    report: Callable[[int, int], object] = lambda _done, _all: None,
) -> list[Usage]:
    """What `size` gives for the executions of each call selected, added up; times of the selection are not used.

    `report` is given how many entries were looked at by now, and of how many.
    """
    with translated("read its executions"), ledger.reading() as snapshot:
        words = read_words(snapshot).records
        counts = [day.count_entries(snapshot) for day in days]
        results: list[Usage] = []
        report(0, sum(counts))
        for place, day in enumerate(days):
            rows = _rows(snapshot, pieces(day, counts[place]), selection)
            results += _of_day(rows, words, day.day, size)
            report(sum(counts[: place + 1]), sum(counts))
        return results


def _of_day(
    rows: Iterable[tuple[Any, ...]], words: Mapping[tuple[int, int], tuple[Any, ...]], day: int, size: Size
) -> list[Usage]:
    sums: dict[tuple[int, int, int], int] = defaultdict(int)
    for source_id, template, long, executions in rows:
        sums[source_id, template, long] += size(read_executions(executions)) or 0
    groups: dict[tuple[Any, ...], int] = defaultdict(int)
    for (source_id, template, long), tokens in sums.items():
        groups[*words[source_id, template][:4], long] += tokens
    return [_usage(day, group, tokens) for group, tokens in groups.items() if tokens]


def _rows(snapshot: Snapshot, parts: Sequence[tuple[int, int]], selection: Selection) -> Iterator[tuple[Any, ...]]:
    """Source, template, whether the prompt is long, and the executions of each call that has some and has counts."""
    asked_of = chosen(selection, snapshot.dialect)
    tables = "entry c" + CHOSEN_FROM if asked_of else "entry c"
    for start_us, end_us in parts:
        where = [
            f"c.occurred_us >= {start_us} AND c.occurred_us < {end_us}",
            *("c.executions_count > 0", "c.executions IS NOT NULL", "c.tokens_output IS NOT NULL", CURRENT),
            *(condition for condition, _ in asked_of),
        ]
        asked = f"SELECT c.source_id, c.template, {_IS_LONG}, c.executions FROM {tables} WHERE {' AND '.join(where)}"  # noqa: S608
        yield from map(tuple, snapshot.rows(asked, [value for _, values in asked_of for value in values]))


def _usage(day: int, group: tuple[Any, ...], tokens: int) -> Usage:
    model, tier, project, location, long = group
    return Usage(
        day=day,
        model=model or "",
        service_tier=tier,
        project=project,
        location=location,
        meter=Meter.OUTPUT,
        modality=Modality.TEXT,
        long=bool(long),
        lifted=False,
        grounded=False,
        edge=0,
        quantity=tokens,
        cost_pico=0,
    )
