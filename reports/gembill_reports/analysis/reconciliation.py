"""Google's bill and the ledger, read and held against each other.

Owns: what is read for a comparison, and of which days. Not here: the comparison (`gembill.reconcile`), SQL and layout.
Invariant: both sides are read for the same days of Google's calendar; the estimated tokens of results, which cost a
look at every execution, are read only where output differs.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from gembill.errors import ConfigurationError
from gembill.ledger import (
    BillDay,
    Ledger,
    Selection,
    bill_days,
    read_doubts,
    read_time_range,
    read_usage_of_days,
    sku_texts,
    sum_bill,
    sum_results,
    sum_usage,
)
from gembill.period import HOUR_US, day_of, local, midnight, parse, zone
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.cell import BillMeter
from gembill.reconcile.comparison import Comparison, Ours, compare
from gembill.reconcile.numerals import date_of
from gembill.reconcile.residue import Name
from gembill.reconcile.sku import Sku, UnknownSku, read
from gembill.reconcile.sums import BillTotal, Usage
from gembill.rules.prices import PriceBook
from gembill.rules.rating import result_tokens

_PACIFIC = zone()
_ASKED_FIRST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BillScope:
    """Which lines and which calls are compared. `days` are both included, None is open; `selection` has no period.

    `form` is the kind of file; None takes the finest there is. `rate` is units of the currency for a dollar, for bills
    that do not say it. `project` and `location` choose lines, and calls where the ledger knows theirs. `infer` reads
    executions in any case. `keep` keeps the sums of days for the next time, which the ledger must be open to write for;
    `report` is given how many entries were summed, and of how many, `report_results` how many were
    looked at for results, of how many.
    """

    now_day: int
    days: tuple[int | None, int | None] = (None, None)
    form: BillForm | None = None
    project: str | None = None
    location: str | None = None
    currency: str | None = None
    rate: Fraction | None = None
    infer: bool = False
    selection: Selection = Selection()  # noqa: RUF009 - a frozen value
    keep: bool = False
    report: Callable[[int, int], object] = lambda _done, _all: None
    report_results: Callable[[int, int], object] = lambda _done, _all: None


def reconcile(ledger: Ledger, book: PriceBook, scope: BillScope) -> Comparison:
    """Compare. ConfigurationError if there is no bill to compare with."""
    forms = bill_days(ledger)
    form = scope.form or next((form for form in BillForm if form in forms), None)
    if form is None or form not in forms:
        raise ConfigurationError("the ledger holds no bill of Google's; name a file, `gembill reconcile FILE`")
    bill = _readable(ledger, sum_bill(ledger, form, scope.days, scope.project))
    if scope.currency is not None:
        bill = [total for total in bill if total.currency == scope.currency]
    if scope.location is not None:
        bill = [total for total in bill if total.location == scope.location]
    first, last = forms[form]
    first, last = max(first, scope.days[0] or first), min(last, scope.days[1] or last)
    ours = _ours(ledger, scope, first, last)
    comparison = compare(bill, ours, book, now_day=scope.now_day, rate=scope.rate)
    results = _results_that_may_be_billed(ledger, scope, comparison, first, last)
    if results:
        comparison = compare(bill, replace(ours, results=results), book, now_day=scope.now_day, rate=scope.rate)
    return comparison


def _readable(ledger: Ledger, bill: list[BillTotal]) -> list[BillTotal]:
    """The bill with a text that can be read in place of one that cannot, where another file has it for the same SKU.

    An id is the same in every language and form and when Google renames an SKU, a text is not. Where the texts of an id
    mean different things none is taken, nor where one file has both: that is neither a translation nor an earlier name.
    """
    unread = {(total.sku_id, total.sku) for total in bill if isinstance(read(total.sku), UnknownSku)}
    meanings = _meanings(ledger, unread) if any(sku_id for sku_id, _ in unread) else {}
    if not meanings:
        return bill
    return [
        replace(total, sku=meanings[key]) if (key := (total.sku_id, total.sku)) in meanings else total for total in bill
    ]


def _meanings(ledger: Ledger, unread: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """For ids and texts that cannot be read: a text that can, if all files that have one for the id mean the same."""
    ids = {sku_id for sku_id, _ in unread}
    texts: dict[str, dict[Sku, str]] = defaultdict(dict)
    files: dict[str, set[int]] = defaultdict(set)
    theirs: dict[tuple[str, str], set[int]] = defaultdict(set)
    for sku_id, text, file in sku_texts(ledger):
        if sku_id in ids and isinstance(sku := read(text), Sku):
            texts[sku_id].setdefault(replace(sku, text=""), text)
            files[sku_id].add(file)
        elif sku_id in ids:
            theirs[sku_id, text].add(file)
    known = {sku_id: next(iter(named.values())) for sku_id, named in texts.items() if len(named) == 1}
    return {key: known[key[0]] for key in unread if key[0] in known and not theirs[key] & files[key[0]]}


def charged(ledger: Ledger, month: str | None = None) -> Ours:
    """All charges of a ledger, or those of a month of Google's calendar, with the estimated tokens of results."""
    period = parse(month=month)
    start, end = (period.start_us, period.end_us) if month else read_time_range(ledger) or (0, 0)
    assert start is not None
    assert end is not None
    first, last = pacific_day(start), pacific_day(end - 1 if month else end)
    scope = BillScope(now_day=0)
    return replace(_ours(ledger, scope, first, last), results=_results(ledger, scope, first, last))


def bill_calendar(first: int, last: int) -> list[BillDay]:
    """The days from the first to the last, both included, with their instants."""
    midnights = [midnight(date_of(day), _PACIFIC) for day in range(first, last + 2)]
    return [BillDay(first + place, *pair) for place, pair in enumerate(pairwise(midnights))]


def _ours(ledger: Ledger, scope: BillScope, first: int, last: int) -> Ours:
    selection, offsets = window(scope.selection, first, last)
    days = bill_calendar(first, last)
    if scope.selection == Selection():
        usages = read_usage_of_days(ledger, days, keep=scope.keep, report=scope.report)
    else:
        usages = sum_usage(ledger, scope.selection, days)
    return Ours(usages=_there(usages, scope), doubts=read_doubts(ledger, selection, offsets))


def _there(usages: Sequence[Usage], scope: BillScope) -> list[Usage]:
    """The charges that are of the scope's project and location, or do not say of which, as those of the Gemini API."""
    return [
        usage
        for usage in usages
        if (scope.project is None or usage.project in (None, scope.project))
        and (scope.location is None or (usage.location or "global") == scope.location)
    ]


def _results_that_may_be_billed(
    ledger: Ledger, scope: BillScope, comparison: Comparison, first: int, last: int
) -> list[Usage]:
    """The estimated tokens of results, where they can be what differs.

    They cost a look at every execution, so days that agree are asked first: where one of them has results, Google does
    not bill them, and those of that day are enough to show it.
    """
    differing = _days_of_other_output(comparison)
    if not scope.infer and not differing:
        return []
    agreeing = [day for day in comparison.spans if day not in differing]
    for day in () if scope.infer else agreeing[:_ASKED_FIRST]:
        if results := _there(_results(ledger, scope, day, comparison.spans[day]), scope):
            return results
    return _there(_results(ledger, scope, first, last), scope)


def _results(ledger: Ledger, scope: BillScope, first: int, last: int) -> list[Usage]:
    """About how many tokens the results of executions are, which no count of a call holds."""
    return sum_results(ledger, scope.selection, bill_calendar(first, last), result_tokens, scope.report_results)


def window(selection: Selection, first: int, last: int) -> tuple[Selection, Sequence[tuple[int, int]]]:
    """The calls of these days, and the differences of Pacific time from UTC in them."""
    start, end = (midnight(date_of(day), _PACIFIC) for day in (first, last + 1))
    return replace(selection, start_us=start, end_us=end), clock_offsets(start, end)


def clock_offsets(start_us: int, end_us: int) -> list[tuple[int, int]]:
    """Since when Pacific time differs from UTC by how many microseconds, from `start_us` on."""
    offsets = [(start_us, _offset(start_us))]
    for at in range(start_us, end_us + HOUR_US, HOUR_US):
        if (offset := _offset(at)) != offsets[-1][1]:
            offsets.append((at, offset))
    return offsets


def pacific_day(at_us: int) -> int:
    """The day of Google's bill that an instant is on, counted from 1970."""
    return day_of(at_us, _PACIFIC).toordinal() - date(1970, 1, 1).toordinal()


def _offset(at_us: int) -> int:
    difference = local(at_us, _PACIFIC).utcoffset()
    assert difference is not None
    return round(difference.total_seconds()) * 1_000_000


def _days_of_other_output(comparison: Comparison) -> set[int]:
    """The first days of the spans in which the bill has other output than the ledger."""
    named = (residue for residue in comparison.residues if residue.name != Name.ROUNDING and residue.amount_micro)
    cells = (residue.cell for residue in named)
    return {cell.span for cell in cells if cell is not None and cell.meter is BillMeter.OUTPUT}
