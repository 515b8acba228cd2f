"""A chart as plain HTML can show it, before and without any script.

Owns: how long each bar is, in percent of the longest. Not here: markup (the templates).
Invariant: lengths are in proportion to the chart's values; a non-zero value has a bar that can be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from gembill_reports.chart_axes import ticks
from gembill_reports.chart_tips import Tip
from gembill_reports.charts import Chart

_FINEST = Decimal("0.01")
_SEEN = Decimal("0.35")


@dataclass(frozen=True, slots=True)
class BarPiece:
    """A part of a bar: its colour, its length in percent, and what it is."""

    color: str
    percent: str
    name: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A category: where its bar begins (percent), the pieces of it, the words and the link."""

    name: str
    start: str
    pieces: tuple[BarPiece, ...]
    text: str
    link: str | None
    tip: Tip  # what it says when it is pointed at
    tick: str  # what the axis says below it
    spans: int  # over how many bars that reaches; 0 if the axis says nothing of it


@dataclass(frozen=True, slots=True)
class BarChart:
    """All bars of a chart, and what the full length stands for."""

    bars: tuple[Bar, ...]
    top: Decimal


def sketch(chart: Chart) -> BarChart:
    """The bars of a chart."""
    places = range(len(chart.categories))
    sums = [sum((_number(series.values[at]) for series in chart.series), Decimal()) for at in places]
    starts = [_number(start) for start in chart.starts] if chart.starts is not None else [Decimal()] * len(sums)
    top = max((start + one for start, one in zip(starts, sums, strict=True)), default=Decimal())
    named = [""] * len(sums) if chart.across else ticks(chart.categories)
    spans = _spans(named)
    bars = tuple(
        Bar(
            chart.categories[at],
            _percent(starts[at], top),
            tuple(
                BarPiece(s.color, _length(_number(s.values[at]), top), s.name)
                for s in chart.series
                if _number(s.values[at])
            ),
            chart.texts[at],
            chart.links[at],
            chart.tip(at),
            named[at],
            spans[at],
        )
        for at in places
    )
    return BarChart(bars, top)


def _spans(named: Sequence[str]) -> list[int]:
    """From each bar that the axis names, and from the first one, to the next: the others are 0."""
    places = [at for at, name in enumerate(named) if name or not at]
    reaches = {at: onward - at for at, onward in pairwise([*places, len(named)])}
    return [reaches.get(at, 0) for at in range(len(named))]


def _number(value: str | None) -> Decimal:
    return Decimal(value) if value is not None else Decimal()


def _length(part: Decimal, whole: Decimal) -> str:
    share = Decimal(_percent(part, whole))
    return str(max(share, _SEEN)) if part else "0"


def _percent(part: Decimal, whole: Decimal) -> str:
    return str((100 * part / whole).quantize(_FINEST, ROUND_HALF_UP)) if whole else "0"
