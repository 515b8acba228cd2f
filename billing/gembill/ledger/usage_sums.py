"""What the ledger charged, summed by the days of Google's bill and all that tells one SKU from another.

Owns: the sums over charges by day, model, tier, place, meter and kind of content, and by what policies and edges of
days move between them. Not here: keeping them (`usage_days`) and comparisons. Invariant: quantities and costs of all
groups add up to the charges of the current revisions, exactly.

The statement reads entries by the numbers of their templates, whose words and price rows are joined here: a fifth of
what the views `record` and `charge` cost. Calls that were revised are summed apart, because looking for the rows of
each costs another quarter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gembill.ledger.entry_counts import count_entries
from gembill.ledger.errors import translated
from gembill.ledger.measures import HALVES, OVERFLOW, joined_halves
from gembill.ledger.selection import Condition, Selection, conditions, labelled
from gembill.ledger.store import Ledger
from gembill.model import Flag, Meter, Modality
from gembill.reconcile.sums import Usage

if TYPE_CHECKING:
    from gembill.ledger.reading import Snapshot

EDGE_US = 15 * 60 * 1_000_000
_LONG = 200_000
_GROUNDED = f'"{Flag.TOOL_TOKENS_WITH_GROUNDING.value}"'
_PROMPT = "coalesce(c.tokens_input, 0)"
_LIFTED = f"{_PROMPT} + coalesce(c.tokens_intermediate, 0)"
_SIZE = f"CASE WHEN {_PROMPT} > {_LONG} THEN 2 WHEN {_LIFTED} > {_LONG} THEN 1 ELSE 0 END"
_EDGES = 3
CHOSEN_FROM = (
    " LEFT JOIN template ON template.source_id = c.source_id AND template.number = c.template "
    "LEFT JOIN label_set ON label_set.source_id = c.source_id AND label_set.labels_hash = c.labels_hash"
)
CURRENT = (
    "NOT EXISTS (SELECT 1 FROM entry n WHERE n.source_id = c.source_id AND n.id = c.id AND n.revision > c.revision)"
)


@dataclass(frozen=True, slots=True)
class _Calls:
    """Calls whose charges are found in the same way. `first` is the table by whose index they are found.

    `charges` is the one that has the quantities, and `charged` its template where that is not the call's.
    """

    first: str
    tables: str
    which: str
    charges: str
    charged: tuple[str, ...] = ()


_ONCE = _Calls("c", "entry c", "c.revision = 0", "c")  # never revised, so that their own row has all charges
_REVISED = _Calls(
    "k",
    "entry k JOIN entry c ON c.source_id = k.source_id AND c.id = k.id AND c.revision = k.revision "
    "JOIN entry e ON e.source_id = c.source_id AND e.id = c.id",
    "k.revision > 0",
    "e",
    ("e.template",),
)
_AT_ONCE = 15_000  # entries; SQLite groups by sorting, and what it sorts should stay in the processor's cache


@dataclass(frozen=True, slots=True)
class BillDay:
    """A day of Google's bill, counted from 1970, and its instants: `[start_us, end_us)`."""

    day: int
    start_us: int
    end_us: int

    def count_entries(self, snapshot: Snapshot) -> int:
        """How many entries it has, of all revisions."""
        return count_entries(snapshot, self.start_us, self.end_us)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the templates, and the meter, kind and price of each of their lines."""

    records: dict[tuple[int, int], tuple[Any, ...]]
    lines: dict[tuple[int, int], list[tuple[Meter, Modality, int]]]

    @property
    def width(self) -> int:
        """How many lines a template has at most."""
        return max(map(len, self.lines.values()), default=0)


def sum_usage(ledger: Ledger, selection: Selection, days: Iterable[BillDay]) -> list[Usage]:
    """The charges of the current revisions of the calls selected, day by day. Times of the selection are not used."""
    with translated("sum up its charges"), ledger.reading() as snapshot:
        words = read_words(snapshot)
        return [
            usage
            for day in days
            for usage in usage_of_day(snapshot, words, day, day.count_entries(snapshot), selection)
        ]


def read_words(snapshot: Snapshot) -> Words:
    """All templates."""
    named = snapshot.rows("SELECT source_id, number, model, service_tier, project, location, flags FROM template")
    ordered = "SELECT source_id, number, meter, modality, unit_pico FROM template_line ORDER BY source_id, number, line"
    lines: dict[tuple[int, int], list[tuple[Meter, Modality, int]]] = defaultdict(list)
    for source_id, number, meter, modality, unit_pico in snapshot.rows(ordered):
        lines[source_id, number].append((Meter(meter), Modality(modality), unit_pico))
    return Words({(row[0], row[1]): tuple(row[2:]) for row in named}, dict(lines))


def usage_of_day(
    snapshot: Snapshot,
    words: Words,
    day: BillDay,
    entries: int,
    selection: Selection = Selection(),  # noqa: B008 - a frozen value
) -> list[Usage]:
    """The charges of one day, which has so many entries."""
    sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    statements = [_Statement(snapshot, calls, day, selection) for calls in (_ONCE, _REVISED)]
    grouped = _grouped(statements, words.width, pieces(day, entries))
    for source_id, current, charged, size, edge, *quantities in grouped:
        lines = words.lines.get((source_id, charged), ())
        model, tier, project, location, flags = words.records[source_id, current]
        for (meter, modality, unit_pico), quantity in zip(lines, quantities, strict=False):
            group = (model or "", tier, project, location, meter, modality, size, _GROUNDED in flags, edge - 1)
            amount = sums[group]
            amount[0] += int(quantity or 0)
            amount[1] += int(quantity or 0) * unit_pico
    return [_usage(day.day, group, *amount) for group, amount in sums.items() if any(amount)]


def _usage(day: int, group: tuple[Any, ...], quantity: int, cost_pico: int) -> Usage:
    model, tier, project, location, meter, modality, size, grounded, edge = group
    return Usage(
        day=day,
        model=model,
        service_tier=tier,
        project=project,
        location=location,
        meter=meter,
        modality=modality,
        long=size == 2,
        lifted=size == 1,
        grounded=grounded,
        edge=edge,
        quantity=quantity,
        cost_pico=cost_pico,
    )


def chosen(selection: Selection, dialect: str) -> list[Condition]:
    """What a selection asks of calls, beside their time, in the words of the tables `CHOSEN_FROM`."""
    return [
        *conditions(selection, "template", dialect),
        *labelled(selection.labels, "label_set.labels", dialect),
    ]


def pieces(day: BillDay, entries: int) -> list[tuple[int, int]]:
    """Parts of a day that has so many entries, `[start_us, end_us)`: few enough in each if they are spread evenly."""
    number = 1 + entries // _AT_ONCE
    marks = [day.start_us + (day.end_us - day.start_us) * place // number for place in range(number + 1)]
    return list(pairwise(marks))


def _grouped(
    statements: Sequence[_Statement], width: int, parts: Sequence[tuple[int, int]]
) -> Iterator[tuple[Any, ...]]:
    """Sums of the quantities of each line by template of the call and of the charge, size of the prompt, and edge."""
    for statement in statements:
        for piece in parts:
            for source_id, template, *charged, place, sums in statement.rows(width, piece):
                yield source_id, template, *(charged or (template,)), *divmod(place, _EDGES), *sums


class _Statement:
    """What sums up the charges of some calls of a day, for any part of it."""

    def __init__(self, snapshot: Snapshot, calls: _Calls, day: BillDay, selection: Selection) -> None:
        self._snapshot = snapshot
        self._calls = calls
        self._chosen = chosen(selection, snapshot.dialect)
        early, late = day.start_us + EDGE_US, day.end_us - EDGE_US
        edge = f"CASE WHEN c.occurred_us < {early} THEN 0 WHEN c.occurred_us >= {late} THEN 2 ELSE 1 END"
        self._keys = ("c.source_id", "c.template", *calls.charged, f"({_SIZE}) * {_EDGES} + {edge}")

    def rows(self, width: int, piece: tuple[int, int]) -> Iterator[tuple[Any, ...]]:
        """The keys of each group and, as the last, its sums, however large these are."""
        values = [_quantity(self._snapshot.dialect, self._calls.charges, line) for line in range(width)]
        size = len(self._keys)
        try:
            rows = self._summed([f"sum({value})" for value in values], piece)
        except Exception as error:
            if OVERFLOW not in str(error):
                raise
            rows = self._summed([f"sum(({value}) {half})" for value in values for half in HALVES], piece)
            yield from ((*row[:size], joined_halves(row[size:])) for row in rows)
        else:
            yield from ((*row[:size], row[size:]) for row in rows)

    def _summed(self, sums: list[str], piece: tuple[int, int]) -> Any:  # noqa: ANN401
        first = self._calls.first
        where = [
            f"{first}.occurred_us >= {piece[0]} AND {first}.occurred_us < {piece[1]}",
            *(self._calls.which, CURRENT, f"{self._calls.charges}.quantities IS NOT NULL"),
            *(condition for condition, _ in self._chosen),
        ]
        tables = self._calls.tables + CHOSEN_FROM if self._chosen else self._calls.tables
        places = ", ".join(str(place) for place in range(1, len(self._keys) + 1))
        statement = (
            f"SELECT {', '.join((*self._keys, *sums))} FROM {tables} WHERE {' AND '.join(where)} GROUP BY {places}"  # noqa: S608
        )
        return self._snapshot.rows(statement, [value for _, values in self._chosen for value in values])


def _quantity(dialect: str, table: str, line: int) -> str:
    if dialect == "postgresql":
        return f"({table}.quantities::jsonb ->> {line})::bigint"
    return f"json_extract({table}.quantities, '$[{line}]')"
