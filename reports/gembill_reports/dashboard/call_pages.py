"""The pages of calls: the list, and one call.

Owns: their tables, data and links to the next page. Not here: queries, and the lines of a receipt. Invariant: a list
goes on by key, so that a call is neither shown twice nor left out.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from gembill.errors import ConfigurationError
from gembill.ledger import (
    Cursor,
    Ledger,
    LedgerRecord,
    ProblemFilter,
    RecordPage,
    SortOrder,
    count_calls,
    read_page,
)
from gembill.model import Meter, Status
from gembill_reports import charts
from gembill_reports.analysis.receipt import Receipt
from gembill_reports.dashboard.grids import kept
from gembill_reports.dashboard.page import NO_CALL, Cell, Grid, Page, Tools, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count, exact, money
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views.period_texts import second
from gembill_reports.views.receipt import ReceiptView
from gembill_reports.views.records import CSV_HEADER, csv_row, record_dict
from gembill_reports.views.rounds import explanation

SIZE = 50
_COUNTED = 100_000  # more calls are not counted one by one
WORDS = 5  # that a search looks for
_STREAMED = 1000  # calls that a CSV reads at a time
_SORTED = {
    "Input": SortOrder.INPUT,
    "Intermediate": SortOrder.INTERMEDIATE,
    "Output": SortOrder.OUTPUT,
    "Executions": SortOrder.EXECUTIONS,
    "Failed": SortOrder.FAILED,
    "Cost": SortOrder.COST,
}


def calls(ledger: Ledger, view: PageQuery) -> Page:
    """The calls chosen, a page of them."""
    asked = browse(view)
    stored, place = read_page(ledger, asked, SIZE, _after(view))
    records = [record_dict(one) for one in stored]
    onward = None if place is None else view.to("/calls", ("after", _written(place)), without=("after",), rest=True)
    there = count_calls(ledger, asked, _COUNTED)
    return Page(
        name="calls",
        title="Calls",
        template="calls.html",
        data={"schema_version": 1, "truncated": place is not None, "next": onward, "records": records},
        header=CSV_HEADER,
        rows=_all_calls(ledger, asked, view),
        grids=(_grid(stored, view, asked, there_are(there, "call", len(records), onward, _COUNTED)),),
        more={"onward": onward, "asked": asked, "statuses": list(Status), "problems": list(ProblemFilter)},
    )


def _all_calls(ledger: Ledger, asked: RecordPage, view: PageQuery) -> Iterator[dict[str, Any]]:
    """The rows of every call from the place on that the address names: a CSV holds them all, a page a part."""
    place = _after(view)
    while True:
        stored, place = read_page(ledger, asked, _STREAMED, place)
        yield from (csv_row(record_dict(one)) for one in stored)
        if place is None:
            return


def browse(view: PageQuery) -> RecordPage:
    """What the address asks of the list; ConfigurationError for a word it does not know."""
    rest = view.rest
    return RecordPage(
        selection=view.selection,
        order=word_of(SortOrder, rest.get("sort")) or SortOrder.TIME,
        ascending=rest.get("dir") == "up",
        problem=word_of(ProblemFilter, rest.get("trouble")),
        status=word_of(Status, rest.get("status")),
        conversation=rest.get("conversation"),
        words=tuple(rest.get("find", "").split()[:WORDS]),
    )


def one_call(receipt: Receipt, view: PageQuery) -> Page:
    """The receipt of one call, with its tokens step by step."""
    shown = ReceiptView(receipt, view.period.zone)
    data, csv = shown.json(), shown.csv()
    tables = [
        Grid(
            sheet.heading,
            [Cell(column.title, number=not column.text) for column in sheet.table.columns],
            [
                [Cell(cell, number=not sheet.table.columns[at].text) for at, cell in enumerate(row)]
                for row in sheet.table.rows
            ],
            _total(sheet.table.total),
            empty="No token and no fee was reported.",
        )
        for sheet in shown.sheets()
    ]
    said = [note for sheet in shown.sheets() for note in sheet.notes]
    steps = _steps(data)
    costs = _step_costs(receipt, steps)
    return Page(
        name=f"calls/{receipt.stored.record.id}",
        title="Receipt",
        template="call.html",
        data=data,
        header=csv.header,
        rows=csv.rows,
        charts=(charts.waterfall(steps, costs),) if steps else (),
        grids=tables,
        notes=[plain(note) for note in said],
        more={"receipt": receipt, "explanation": explanation(receipt), "cost": exact(receipt.cost_pico)},
        dated=second(receipt.stored.record.occurred_us, view.period.zone),
    )


def plain(note: str) -> str:
    """A sentence without the scheme of addresses: pages name no outside address that a browser could follow."""
    return note.replace("https://", "").replace("http://", "")


def _grid(stored: Sequence[LedgerRecord], view: PageQuery, asked: RecordPage, summary: str) -> Grid:
    sorts = {title: replace(_sorting(title, order, view, asked), number=True) for title, order in _SORTED.items()}
    cost = replace(sorts.pop("Cost"), money=True)
    heads = [_sorting("When", SortOrder.TIME, view, asked), cost, text("Model"), text("Status")]
    heads += [*sorts.values(), text("Labels")]
    titles = ["When", "Cost", "", "", *sorts]
    tools = Tools(
        summary=summary,
        column=titles.index(next((title for title, order in _SORTED.items() if order is asked.order), "When")),
        descending=not asked.ascending,
        action="/calls",
        find="find",
        sought=" ".join(asked.words),
        kept=kept(view, "find", "after"),
    )
    return Grid("Calls", heads, [_call(one, view) for one in stored], empty=NO_CALL, tools=tools)


def there_are(there: int, what: str, shown: int, onward: str | None, counted: int | None) -> str:
    """How many rows a list has: `12 calls`, `50 of 20,000 calls`; `50 of more than 100,000 calls` where counting ended
    with the one after `counted`."""
    many = f"{count(there)} {what}{'' if there == 1 else 's'}"
    if counted is not None and there == counted + 1:
        many = f"more than {count(counted)} {what}s"
    return f"{shown} of {many}" if onward or shown < there else many


def _sorting(title: str, order: SortOrder, view: PageQuery, asked: RecordPage) -> Cell:
    """A heading that sorts by its column, once more turns the order round."""
    current = asked.order is order
    turn = "up" if current and not asked.ascending else "down"
    link = view.to("/calls", ("sort", order.value), ("dir", turn), without=("sort", "dir", "after"), rest=True)
    return text(title, link)


def _call(stored: LedgerRecord, view: PageQuery) -> list[Cell]:
    record, tokens = stored.record, stored.record.tokens
    when = second(record.occurred_us, view.period.zone)
    said = record.status.value
    if record.error is not None:
        said += "".join(f" {word}" for word in (record.error.code, record.error.status) if word is not None)
    cost = "unpriced" if stored.unpriced_reason else money(stored.cost_pico)
    return [
        text(when, view.to(f"/calls/{record.id}")),
        number(cost, mark="unpriced" if stored.unpriced_reason else ""),
        text(clean(record.model or MISSING)),
        text(clean(said), mark=record.status.value),
        *(number(count(one)) for one in (tokens.input, tokens.intermediate, tokens.output)),
        number(count(len(record.executions))),
        number(count(record.failed), mark="failed" if record.failed else ""),
        text(clean(" ".join(f"{name}={value}" for name, value in sorted(record.labels.items()))), mark="labels"),
    ]


def _steps(data: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """The tokens of a receipt in the order in which the model met them: intermediate ones round by round if known."""
    lines = [line for line in data["lines"] if line["unit"] == "tokens"]
    middle = Meter.INTERMEDIATE.value
    rounds = [
        (f"round {one['number']}{' (estimate)' if one['estimate'] else ''}", middle, one["intermediate"])
        for one in data["rounds"]
    ]
    counted = sum(line["quantity"] for line in lines if line["meter"] == middle)
    whole = bool(rounds) and sum(tokens for _, _, tokens in rounds) == counted
    pieces: list[tuple[str, str, int]] = []
    for line in lines:
        if not whole or line["meter"] != middle:
            kind = f" ({line['modality']})" if line["modality"] not in (None, "text") else ""
            pieces.append((f"{line['meter'].replace('_', ' ')}{kind}", line["meter"], line["quantity"]))
        elif rounds:
            pieces += rounds
            rounds = []
    return pieces


def _step_costs(receipt: Receipt, steps: Sequence[tuple[str, str, int]]) -> list[int | None]:
    """What each step cost. A meter with several prices, or none, tells no cost of its steps."""
    prices: dict[str, set[int | None]] = defaultdict(set)
    for line in receipt.lines:
        prices[line.meter.value].add(line.unit_pico)
    known = {meter: next(iter(one)) if len(one) == 1 else None for meter, one in prices.items()}
    return [None if (price := known.get(meter)) is None else tokens * price for _, meter, tokens in steps]


def _total(cells: Sequence[str] | None) -> list[Cell] | None:
    return None if cells is None else [Cell(cell, number=at > 0) for at, cell in enumerate(cells)]


def word_of(words: Any, named: str | None) -> Any:  # noqa: ANN401
    """The member of an enum that the address names, None if it names none; ConfigurationError for any other word."""
    if named is None:
        return None
    try:
        return words(named)
    except ValueError:
        raise ConfigurationError(f"'{named}' is none of {', '.join(words)}") from None


def _written(place: Cursor) -> str:
    return f"{place.value}.{place.occurred_us}.{place.source_id}.{place.id}"


def _after(view: PageQuery) -> Cursor | None:
    mark = view.rest.get("after")
    if mark is None:
        return None
    try:
        value, occurred, source, record_id = mark.split(".")
        place = Cursor(max(int(value), -1), int(occurred), str(UUID(record_id)), int(source))
    except ValueError:
        place = None
    if place is None or max(place.value, abs(place.occurred_us), abs(place.source_id)) >> 63:
        raise ConfigurationError(f"after is '{mark}', which is not a place in the list of calls")
    return place
