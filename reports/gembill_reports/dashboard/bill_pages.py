"""The page of Google's bill: what was billed in the period, what the ledger has, and what is between them by name.

Owns: its cards and tables, the line of the overview, and what is remembered of a comparison. Not here: the comparison
(`gembill.reconcile`). Invariant: every number is of `gembill_reports.views.reconciliation`, so that it is the one that
`gembill reconcile` prints; nothing is written, and a comparison is made again once the bills or the calls changed.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, bill_days, bill_files, holds_demo_data, read_time_range, read_totals
from gembill.period import Period, midnight, zone
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.comparison import CellComparison, Comparison
from gembill.reconcile.numerals import date_of, day_text
from gembill.reconcile.residue import Name
from gembill.rules.prices import PriceBook
from gembill_reports.analysis.reconciliation import BillScope, pacific_day, reconcile
from gembill_reports.dashboard.page import Card, Cell, Grid, Page, money_head, number, text
from gembill_reports.dashboard.query import PageQuery, months
from gembill_reports.views import reconciliation as words

_REMEMBERED = 4
_TOKENS = 10**6  # millionths
_PACIFIC = zone()


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Comparisons of one dashboard, each until the bills, the calls or the prices are others."""

    known: OrderedDict[tuple[Any, ...], Comparison] = field(default_factory=OrderedDict)

    def of(self, ledger: Ledger, book: PriceBook, view: PageQuery) -> tuple[BillForm, Comparison] | None:
        """The finest bill of the period beside the ledger; None if there is none of it."""
        days = _days(view)
        held = bill_days(ledger)
        form = next((form for form in BillForm if form in held and _meet(held[form], days)), None)
        if form is None:
            return None
        currency = view.rest.get("currency") or None
        today = pacific_day(view.now_us)
        last = min(held[form][1], today - 1, days[1] or today)  # calls of later days are not compared
        key = (form, days, currency, today, _state(ledger, view.period.start_us, last), book.digest)
        if key not in self.known:
            scope = BillScope(now_day=today, days=days, form=form, currency=currency)
            self.known[key] = reconcile(ledger, book, scope)
            while len(self.known) > _REMEMBERED:
                self.known.popitem(last=False)
        return form, self.known[key]


def bill_page(ledger: Ledger, view: PageQuery, book: PriceBook, comparisons: Comparisons) -> Page:
    """The bill of the period; without one, how to get it."""
    held = comparisons.of(ledger, book, view)
    chosen = {"month": view.month or "", "months": months(view, read_time_range(ledger)), "has_bill": held is not None}
    shared: dict[str, Any] = {"name": "bill", "title": "Google's bill", "template": "bill.html"}
    if held is None:
        nothing = {"schema_version": words.SCHEMA_VERSION, "form": None}
        return Page(**shared, data=nothing, header=words.HEADER, rows=(), more=chosen | {"sentence": ""})
    form, one = held
    shown = words.ReconciliationView(form, one, demo=holds_demo_data(ledger))
    csv = shown.csv()
    return Page(
        **shared,
        data=shown.json(),
        header=csv.header,
        rows=csv.rows,
        cards=_cards(one),
        grids=(_residues(one), _skus(one, view, _models(ledger)), _by_day(one, view)),
        notes=tuple(words.comparison_notes(one)),
        more=chosen | {"sentence": words.headline(one)},
    )


def bill_card(ledger: Ledger, view: PageQuery, book: PriceBook, comparisons: Comparisons) -> Card | None:
    """The bill on the overview: how far apart it is from the ledger, and until when."""
    if view.several():
        return None
    try:
        held = comparisons.of(ledger, book, view)
    except ConfigurationError:
        return Card("Google's bill", "several", "currencies; choose one", link=view.to("/bill"))
    if held is None or held[1].days is None:
        return None
    one = held[1]
    until = f"until {day_text(held[1].days[1])}" if held[1].days else ""
    word = "reconciled" if one.is_reconciled else "not reconciled"
    kind = "" if one.is_reconciled else "failed"
    return Card("Google's bill", f"ours {words.share(one)}", f"{until}: {word}", kind, view.to("/bill"))


def _days(view: PageQuery) -> tuple[int | None, int | None]:
    start, end = view.period.start_us, view.period.end_us
    return None if start is None else pacific_day(start), None if end is None else pacific_day(end - 1)


def _meet(held: tuple[int, int], days: tuple[int | None, int | None]) -> bool:
    first, last = days
    return (first is None or held[1] >= first) and (last is None or held[0] <= last)


def _state(ledger: Ledger, start_us: int | None, last: int) -> tuple[Any, ...]:
    """What a comparison depends on: the files, and what the rollups say of the calls until a day."""
    end_us = midnight(date_of(last + 1), _PACIFIC)
    totals = read_totals(ledger, Selection(start_us=start_us, end_us=end_us), ())
    return tuple(number for number, _ in bill_files(ledger)), repr(totals)


def _cards(one: Comparison) -> list[Card]:
    difference = one.billed_pico - one.ours_pico
    nameless = one.sums_pico.get(Name.UNEXPLAINED, 0)
    known = one.rate is not None
    return [
        Card("Billed", words.amount(one, one.billed_pico), _span(one)),
        Card("Ours", words.amount(one, one.ours_pico) if known else "unknown", f"{words.share(one)}", "output"),
        Card("Difference", words.amount(one, difference) if known else "unknown", "bill minus ledger", "intermediate"),
        Card(
            "Without a name",
            words.amount(one, nameless) if known else "unknown",
            f"{one.unexplained_micro // _TOKENS:,} tokens",
            "" if one.is_reconciled else "failed",
        ),
    ]


def _span(one: Comparison) -> str:
    return f"{day_text(one.days[0])} to {day_text(one.days[1])}" if one.days else "every day is open"


def _models(ledger: Ledger) -> set[str]:
    """The models that calls have, which a link can choose."""
    return {str(total.group["model"]) for total in read_totals(ledger, Selection(), ("model",))}


def _residues(one: Comparison) -> Grid:
    money, tokens = one.sums_pico, one.sums
    heads = [text("Name"), number("Tokens"), money_head("Cost"), text("What it is")]
    rows = [
        [
            text(name),
            _signed(tokens.get(name, (0, 0))[0] // _TOKENS),
            _money(one, money[name]),
            text(words.meaning(name)),
        ]
        for name in sorted(money, key=lambda name: -abs(money[name]))
    ]
    total = [text("Total"), text(""), _money(one, one.billed_pico - one.ours_pico), text("bill minus ledger")]
    return Grid("What is between them", heads, rows, total, empty="Nothing.", name="names", noun="names")


def _skus(one: Comparison, view: PageQuery, models: set[str]) -> Grid:
    """A row for each cell over all days; it leads to the calls of its model and tier."""
    shown = words.places(one)
    titles = ("Model", "Tier", *(name.capitalize() for name in shown), "Meter")
    heads = [*map(text, titles), *_numbers_heads(), text("Name")]
    groups: dict[Any, list[CellComparison]] = defaultdict(list)
    for cell in one.cells:
        groups[cell.cell._replace(span=0)].append(cell)
    rows = []
    for cell, lines in sorted(groups.items()):
        link = view.to("/calls", ("model", cell.model), ("tier", cell.tier)) if cell.model in models else None
        names = sorted({name for line in lines for name in line.names})
        where = [text(getattr(cell, name)) for name in shown]
        row = [text(cell.model, link), text(cell.tier), *where, text(words.meter_text(cell))]
        rows.append([*row, *_numbers(one, lines), text(", ".join(names))])
    return Grid("Lines", heads, rows, name="lines", noun="lines")


def _by_day(one: Comparison, view: PageQuery) -> Grid:
    """A row for each span of days; it leads to its calls."""
    heads = [text("Day"), *_numbers_heads()[3:], text("Name")]
    spans: dict[int, list[CellComparison]] = defaultdict(list)
    for cell in one.cells:
        spans[cell.cell.span].append(cell)
    rows = []
    for span, lines in sorted(spans.items()):
        last = one.spans.get(span, span)
        start, end = (midnight(date_of(day), _PACIFIC) for day in (span, last + 1))
        link = view.span("/calls", Period(start_us=start, end_us=end, zone=view.period.zone))
        names = sorted({name for line in lines for name in line.names})
        title = day_text(span) if last == span else f"{day_text(span)} to {day_text(last)}"
        rows.append([text(title, link), *_numbers(one, lines)[3:], text(", ".join(names))])
    return Grid("Days", heads, rows, name="days", noun="days")


def _numbers_heads() -> list[Cell]:
    tokens = [number(title) for title in ("Billed", "Ours", "Difference")]
    return [*tokens, money_head("Billed cost"), number("Our cost"), number("Difference in cost")]


def _numbers(one: Comparison, lines: Sequence[CellComparison]) -> list[Cell]:
    billed, ours = (sum(getattr(line, name) for line in lines) for name in ("billed_micro", "ours_micro"))
    cost, own = (round(sum(getattr(line, name) for line in lines)) for name in ("billed", "ours"))
    tokens = [_counted(billed), _counted(ours), _signed((billed - ours) // _TOKENS)]
    if one.rate is None:
        return [*tokens, _money(one, cost), number("unknown"), number("unknown")]
    return [*tokens, _money(one, cost), _money(one, own), _money(one, cost - own)]


def _counted(micro: int) -> Cell:
    return Cell(f"{micro // _TOKENS:,}", number=True, order=micro)


def _signed(tokens: int) -> Cell:
    return Cell(f"{tokens:+,}", number=True, order=tokens)


def _money(one: Comparison, pico: int) -> Cell:
    return Cell(words.amount(one, pico), number=True, order=pico)
