"""Charts: what is drawn, from totals to plotly figures.

Owns: which bars a chart has, their colours and links, and the plotly figure of it. Not here: sums and pages. Invariant:
a kind of token has one colour everywhere (Okabe and Ito's set, told apart by colour-blind eyes); a chart shows the same
numbers as the rows it was made of, amounts as exact decimal strings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gembill.errors import ConfigurationError
from gembill.ledger import Total
from gembill.model import COST_PARTS
from gembill.money import usd
from gembill.period import Period, Unit, buckets, name
from gembill_reports.analysis.report import TIMES, Report
from gembill_reports.chart_axes import spoken, ticks
from gembill_reports.chart_tips import Look, Tip, TipRow, cost_tip, outcome_tip, ratio_tip, step_tip
from gembill_reports.layout.sheet import count, money, rate
from gembill_reports.layout.tables import MISSING, clean

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLORS = {
    "input": "#0072B2",
    "cached_input": "#56B4E9",
    "intermediate": "#E69F00",
    "output": "#009E73",
    "thinking": "#CC79A7",
    "grounding": "#8C8C8C",
    "ran": "#8C8C8C",
    "failed": "#D55E00",
}
CONFIG = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "responsive": True}
"""How plotly.js is set: no toolbar, and no button that sends a figure to its maker's cloud (on by default)."""

_STEPS = (("ends", "whole period", "#8C8C8C"), ("more", "more", "#D55E00"), ("less", "less", "#009E73"))
_CENTS = Decimal("0.05")  # from here on an axis is written in cents
_DECIMALS = 12  # of a dollar: pico-dollars
_MOST = 400  # buckets of time that a chart has room for
_ROWS = 12
Link = Callable[[Total], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart: a value per category as a decimal string, None where there is none."""

    name: str
    color: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Stacked bars. `across`: they lie, one line a category; else they stand.

    `texts` say each category in words, `links` lead from it, `starts` is where its bar begins (else at 0). `tips` are
    what each says when it is pointed at (`tip`).
    """

    key: str
    title: str
    unit: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    texts: tuple[str, ...]
    links: tuple[str | None, ...]
    across: bool = False
    starts: tuple[str, ...] | None = None
    tips: tuple[Tip, ...] = ()

    def tip(self, at: int) -> Tip:
        """What the category at this place says; of a chart without `tips` its values and words."""
        if self.tips:
            return self.tips[at]
        values = [(one.name, one.color, one.values[at]) for one in self.series]
        rows = [TipRow(color, name, cost=_said_value(self.unit, value)) for name, color, value in values if value]
        return Tip(spoken(self.categories[at]), tuple(rows), ("", "", ""), self.texts[at])


def cost_by_time(report: Report, link: Link | None = None) -> Chart:
    """The cost of each hour, day, week or month, stacked by meter. The report is cut by that unit alone."""
    unit = next((Unit(by) for by in report.by if by in TIMES), None)
    if unit is None or len(report.by) > 1:
        raise ConfigurationError("a chart over time needs a report by hour, day, week or month alone")
    names, rows = _line(report, unit)
    return _costs("cost_by_time", f"Cost per {unit.value}", names, rows, link, report.total.cost_pico)


def cost_by_group(report: Report, link: Link | None = None) -> Chart:
    """The cost of each row, most expensive first, stacked by meter; the cheapest are left out where there are many."""
    rows = report.rows[:_ROWS]
    title = "Cost per " + " and ".join(by.removeprefix("label.").replace("_", " ") for by in report.by)
    names = [_title(report.by, row) for row in rows]
    return _costs("cost_by_group", title, names, rows, link, report.total.cost_pico, across=True)


def intermediate_ratio(report: Report, link: Link | None = None) -> Chart:
    """How many intermediate tokens came with each token of input, by row."""
    rows = [row for row in report.rows if row.tokens.input and row.tokens.intermediate][:_ROWS]
    values = [f"{(row.tokens.intermediate or 0) / (row.tokens.input or 1):.4f}" for row in rows]
    return Chart(
        key="intermediate_ratio",
        title="Intermediate tokens per input token",
        unit="x",
        categories=tuple(_title(report.by, row) for row in rows),
        series=(Series("intermediate / input", COLORS["intermediate"], tuple(values)),),
        texts=tuple(f"{float(value):.2f}×" for value in values),
        links=_links(rows, link),
        across=True,
        tips=tuple(
            ratio_tip(_title(report.by, row), row, _looks("intermediate", "input"), f"{float(value):.2f}")
            for row, value in zip(rows, values, strict=True)
        ),
    )


def waste_by_group(report: Report, link: Link | None = None) -> Chart:
    """What failed runs cost in each row, an estimate, the most first."""
    rows = [row for row in report.rows if row.failed_execution_cost_pico][:_ROWS]
    rows.sort(key=lambda row: -(row.failed_execution_cost_pico or 0))
    return Chart(
        key="waste_by_group",
        title=f"Spent on fails per {report.by[0].removeprefix('label.').replace('_', ' ')}",
        unit="$",
        categories=tuple(_title(report.by, row) for row in rows),
        series=(
            Series("spent on fails", COLORS["failed"], tuple(usd(row.failed_execution_cost_pico) for row in rows)),
        ),
        texts=tuple(money(row.failed_execution_cost_pico) for row in rows),
        links=_links(rows, link),
        across=True,
    )


def outcomes(report: Report, link: Link | None = None) -> Chart:
    """Executions over time: those that failed or ran out of time, and the others."""
    unit = next((Unit(by) for by in report.by if by in TIMES), Unit.DAY)
    names, rows = _line(report, unit)
    ran = tuple(str(row.executions - row.executions_failed) if row else None for row in rows)
    failed = tuple(str(row.executions_failed) if row else None for row in rows)
    return Chart(
        key="outcomes",
        title=f"Executions per {unit.value}",
        unit="",
        categories=tuple(names),
        series=(Series("ran", COLORS["ran"], ran), Series("failed", COLORS["failed"], failed)),
        texts=tuple(
            f"{count(r.executions)} executions, {rate(r.executions_failed, r.executions)} failed" if r else "no call"
            for r in rows
        ),
        links=_links(rows, link),
        tips=tuple(
            outcome_tip(spoken(name), row, _looks("ran", "failed")) for name, row in zip(names, rows, strict=True)
        ),
    )


def waterfall(steps: Sequence[tuple[str, str, int]], costs: Sequence[int | None] = ()) -> Chart:
    """The tokens of one call from the prompt to the answer: (words, meter, tokens), each bar where the last ended.

    `costs` are pico-dollars of each step, None where a step has no cost of its own.
    """
    starts, at = [], 0
    for _, _, tokens in steps:
        starts.append(str(at))
        at += tokens
    meters = dict.fromkeys(meter for _, meter, _ in steps)
    series = [
        Series(
            meter.replace("_", " "),
            COLORS.get(meter, COLORS["grounding"]),
            tuple(str(tokens) if of == meter else None for _, of, tokens in steps),
        )
        for meter in meters
    ]
    return Chart(
        key="waterfall",
        title="Tokens, step by step",
        unit="",
        categories=tuple(clean(words) for words, _, _ in steps),
        series=tuple(series),
        texts=tuple(count(tokens) for _, _, tokens in steps),
        links=(None,) * len(steps),
        across=True,
        starts=tuple(starts),
        tips=tuple(
            step_tip(clean(words), _look(meter), tokens, at, "" if not costs or costs[n] is None else money(costs[n]))
            for n, (words, meter, tokens) in enumerate(steps)
        ),
    )


def cost_steps(title: str, steps: Sequence[tuple[str, int, str | None]], ends: tuple[int, int]) -> Chart:
    """From the cost of one period to that of another: (words, difference in pico-dollars, link), each where the last
    ended; `ends` are both costs."""
    names, texts = ["before"], [money(ends[0])]
    links: list[str | None] = [None]
    spans, reached = [(0, ends[0])], ends[0]
    for words, difference, link in steps:
        names.append(clean(words))
        texts.append(f"{'+' if difference > 0 else ''}{money(difference)}")
        links.append(link)
        spans.append((min(reached, reached + difference), abs(difference)))
        reached += difference
    kinds = ["ends", *("more" if difference > 0 else "less" for _, difference, _ in steps), "ends"]
    lengths = [usd(length) for _, length in (*spans, (0, ends[1]))]
    return Chart(
        key="cost_steps",
        title=title,
        unit="$",
        categories=(*names, "now"),
        series=tuple(
            Series(name, color, tuple(one if kind == of else None for kind, one in zip(kinds, lengths, strict=True)))
            for of, name, color in _STEPS
        ),
        texts=(*texts, money(ends[1])),
        links=(*links, None),
        across=True,
        starts=tuple(usd(start) for start, _ in (*spans, (0, 0))),
    )


CHARTS: Mapping[str, tuple[tuple[str, ...], Callable[[Report], Chart]]] = {
    "cost_per_day": (("day",), cost_by_time),
    "cost_per_week": (("week",), cost_by_time),
    "cost_per_month": (("month",), cost_by_time),
    "cost_per_model": (("model",), cost_by_group),
    "intermediate_per_model": (("model",), intermediate_ratio),
    "executions_per_day": (("day",), outcomes),
}
"""The charts that `gembill_reports.figure` knows: by what the report is cut, and what is drawn of it."""


def figure(chart: Chart) -> "go.Figure":
    """The chart as a plotly figure. Show it with `figure.show(config=gembill_reports.charts.CONFIG)`."""
    import plotly.graph_objects as go

    drawn = shape(chart)
    return go.Figure(drawn["data"], drawn["layout"] | {"template": "none"})


def shape(chart: Chart) -> dict[str, Any]:
    """What plotly.js draws: `data` and `layout`. Pages need no more, and loading plotly would cost them 0.3 s."""
    return {"data": [_bars(chart, series) for series in chart.series], "layout": _layout(chart)}


def _bars(chart: Chart, series: Series) -> dict[str, Any]:
    values, names = list(series.values), list(chart.categories)
    bars = {
        "type": "bar",
        "name": series.name,
        "marker": {"color": series.color},
        "orientation": "h" if chart.across else "v",
        "x": values if chart.across else names,
        "y": names if chart.across else values,
        "customdata": [[link or "", text] for link, text in zip(chart.links, chart.texts, strict=True)],
        "textangle": 0,
        "hovertemplate": f"%{{{'y' if chart.across else 'x'}}}<br>{series.name}: %{{{'x' if chart.across else 'y'}}}"
        "<br>%{customdata[1]}<extra></extra>",
    }
    bars |= {"base": list(chart.starts)} if chart.starts is not None else {}
    return bars | ({"text": list(chart.texts)} if chart.across and len(chart.series) == 1 else {})


def _costs(
    key: str,
    title: str,
    names: Sequence[str],
    rows: Sequence[Total | None],
    link: Link | None,
    whole_pico: int | None,
    *,
    across: bool = False,
) -> Chart:
    parts = [
        part for part in COST_PARTS if part != "grounding" or any(row and row.cost_parts.grounding for row in rows)
    ]
    series = [Series(_said(part), COLORS[part], tuple(_part(row, part) for row in rows)) for part in parts]
    return Chart(
        key=key,
        title=title,
        unit="$",
        categories=tuple(names),
        series=tuple(series),
        texts=tuple(money(row.cost_pico) if row else money(0) for row in rows),
        links=_links(rows, link),
        across=across,
        tips=tuple(
            cost_tip(spoken(name), row, whole_pico, _looks(*parts)) for name, row in zip(names, rows, strict=True)
        ),
    )


def _looks(*kinds: str) -> list[Look]:
    return [_look(kind) for kind in kinds]


def _look(kind: str) -> Look:
    return kind, COLORS.get(kind, COLORS["grounding"]), _said(kind)


def _said_value(unit: str, value: str) -> str:
    return money(int(Decimal(value).scaleb(_DECIMALS))) if unit == "$" else f"{value}{unit}"


def _said(part: str) -> str:
    return {"output": "output with thinking", "grounding": "search"}.get(part, part.replace("_", " "))


def _part(row: Total | None, part: str) -> str | None:
    pico = None if row is None else getattr(row.cost_parts, part)
    return usd(pico)


def _line(report: Report, unit: Unit) -> tuple[list[str], list[Total | None]]:
    """Every bucket of the period by name and its row; of an open or very long period only those with calls."""
    rows = {str(row.group[unit.value]): row for row in report.rows}
    names = list(rows)
    if report.period.start_us is not None and report.period.end_us is not None:
        all_names = _names(report.period, unit)
        names = all_names if len(all_names) <= _MOST else names
    return names, [rows.get(one) for one in names]


def _names(period: Period, unit: Unit) -> list[str]:
    names = []
    for bucket in buckets(period, unit):
        assert bucket.start_us is not None
        names.append(name(unit, bucket.start_us, period.zone))
        if len(names) > _MOST:
            break
    return names


def _title(by: Sequence[str], row: Total) -> str:
    return " · ".join(clean(MISSING if row.group[key] is None else str(row.group[key])) for key in by) or "all"


def _links(rows: Sequence[Total | None], link: Link | None) -> tuple[str | None, ...]:
    return tuple(None if row is None or link is None else link(row) for row in rows)


def _layout(chart: Chart) -> dict[str, Any]:
    """Numbers on a plain line, names as they are (`category`): nothing is read as a date or left out."""
    numbers = {"type": "linear", "tickprefix": "$" if chart.unit == "$" else "", "zeroline": False, "nticks": 6}
    numbers |= {"tickformat": ",.2f"} if chart.unit == "$" and _longest(chart) >= _CENTS else {}
    names: dict[str, Any] = {"type": "category", "showgrid": False}
    said = dict(zip(chart.categories, ticks(chart.categories), strict=True))
    marked = {
        "tickvals": [name for name, text in said.items() if text],
        "ticktext": [text.replace("\n", "<br>") for text in said.values() if text],
    }
    still = {"fixedrange": True, "tickangle": 0}  # no zoom: a chart does not catch the wheel
    return {
        "barmode": "stack" if chart.starts is None else "overlay",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {
            "l": 8 if chart.across else 52,
            "r": 12,
            "t": 8,
            "b": 28 if chart.across or all("\n" not in one for one in said.values()) else 44,
        },
        "bargap": 0.25,
        "hovermode": "y" if chart.across else "x",
        "showlegend": False,
        "xaxis": (numbers if chart.across else names | marked) | still,
        "yaxis": (names | {"autorange": "reversed", "automargin": True} if chart.across else numbers) | still,
    }


def _longest(chart: Chart) -> Decimal:
    """The length of the longest bar."""
    bars = zip(*(one.values for one in chart.series), strict=True)
    return max((sum((Decimal(value or 0) for value in bar), Decimal()) for bar in bars), default=Decimal())
