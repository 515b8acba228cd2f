"""Links from a row to its calls.

Owns: the address of the calls of a group or of a time, where there is none, and how a period is cut on pages. Not here:
the address itself (`query`). Invariant: a link shows the calls of its row and no others; where the address has no words
for them there is no link.
"""

from collections.abc import Callable
from dataclasses import replace

from gembill.ledger import Total
from gembill.period import HOUR_US, Unit, containing, instant
from gembill_reports.analysis.report import Report
from gembill_reports.dashboard.query import PageQuery

_DAY_US = 24 * HOUR_US


def calls_of(view: PageQuery, by: str, value: str | None, *more: tuple[str, str]) -> str:
    """The calls of a group, whatever the filter says of the same word. A missing value cannot be asked for: no link."""
    if value is None or "*" in value:
        return ""
    if by.startswith("label."):
        name = by.removeprefix("label.")
        others = [("label", pair) for pair in view.values("label") if not pair.startswith(f"{name}=")]
        return view.to("/calls", *others, ("label", f"{name}={value}"), *more, without=("label",))
    return view.to("/calls", (by, value), *more, without=(by,))


def unit_of(view: PageQuery) -> str:
    """Days, or hours of a period of three days at most, or months of one over half a year."""
    start, end = view.period.start_us, view.period.end_us
    if start is None or end is None:
        return Unit.MONTH.value
    length = end - start - HOUR_US  # a day on which the clock is set back is so much longer
    if length <= 3 * _DAY_US:
        return Unit.HOUR.value
    return Unit.DAY.value if length <= 190 * _DAY_US else Unit.MONTH.value


def time_link(view: PageQuery, result: Report, *more: tuple[str, str]) -> Callable[[Total], str]:
    """Where a bar of time leads: to the calls of that hour, day or month, as far as the period has them."""
    unit, period = Unit(result.by[0]), result.period

    def link(row: Total) -> str:
        name = str(row.group[unit.value])
        whole = containing(unit, instant(f"{name}-01" if unit is Unit.MONTH else name, period.zone), period.zone)
        starts = [one.start_us for one in (whole, period) if one.start_us is not None]
        ends = [one.end_us for one in (whole, period) if one.end_us is not None]
        return view.span("/calls", replace(period, start_us=max(starts), end_us=min(ends)), *more)

    return link
