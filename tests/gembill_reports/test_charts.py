"""Charts show the numbers of their rows, in one colour for one kind of token."""

import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger
from gembill.money import unit_price, usd
from gembill.period import Unit, buckets, containing, instant, iso, parse
from gembill_reports import charts
from gembill_reports.analysis.report import report
from gembill_reports.charts import COLORS, CONFIG
from tests.gembill_reports.making import FAILED, FLASH, OK, PRO, call, put

IN, OUT = unit_price("0.50"), unit_price("3.00")


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    put(
        ledger,
        call("2026-11-02T10:00:00+00:00", (10, 30, 5), outcomes=[OK, FAILED]),
        call("2026-11-04T10:00:00+00:00", (10, 0, 0), PRO),
    )
    return ledger


def test_a_month_has_a_bar_for_every_day(filled: Ledger) -> None:
    drawn = charts.cost_by_time(report(filled, parse(month="2026-11"), ("day",)), lambda row: f"/{row.group['day']}")
    assert len(drawn.categories) == 30
    assert drawn.links[1] == "/2026-11-02"
    assert drawn.links[2] is None
    parts = {series.name: series.values[1] for series in drawn.series}
    assert parts == {"input": usd(10 * IN), "intermediate": usd(30 * IN), "output with thinking": usd(5 * OUT)}


@pytest.mark.parametrize(
    ("zone", "day", "bars"),
    [
        ("America/Los_Angeles", "2026-03-08", 23),
        ("America/Los_Angeles", "2026-11-01", 25),
        ("Asia/Kolkata", "2026-11-01", 24),
        ("Australia/Lord_Howe", "2026-04-05", 24),  # one of them an hour and a half
        ("Asia/Beirut", "2026-10-24", 25),
    ],
)
def test_a_day_has_a_bar_for_every_hour_of_its_clock(ledger: Ledger, zone: str, day: str, bars: int) -> None:
    whole = containing(Unit.DAY, instant(f"{day}T12:00", ZoneInfo(zone)), ZoneInfo(zone))
    assert whole.start_us is not None
    assert whole.end_us is not None
    calls = list(enumerate(range(whole.start_us, whole.end_us, 1_800_000_000), 1))
    put(ledger, *(call(iso(at, ZoneInfo(zone)), (n, 0, 0)) for n, at in calls))
    drawn = charts.cost_by_time(report(ledger, whole, ("hour",)))
    assert len(drawn.categories) == len(set(drawn.categories)) == bars
    heights = dict(zip(drawn.categories, drawn.series[0].values, strict=True))
    for bar in buckets(whole, Unit.HOUR):
        inside = sum(n for n, at in calls if (bar.start_us or 0) <= at < (bar.end_us or 0))
        assert heights[bar.start or ""] == usd(inside * IN)


def test_an_open_period_has_the_days_with_calls(filled: Ledger) -> None:
    drawn = charts.cost_by_time(report(filled, parse(), ("day",)))
    assert drawn.categories == ("2026-11-02", "2026-11-04")
    with pytest.raises(ConfigurationError):
        charts.cost_by_time(report(filled, parse(), ("day", "model")))


def test_groups_ratio_and_outcomes(filled: Ledger) -> None:
    models = report(filled, parse(month="2026-11"), ("model",))
    assert charts.cost_by_group(models).categories == (FLASH, PRO)
    ratio = charts.intermediate_ratio(models)
    assert (ratio.categories, ratio.texts) == ((FLASH,), ("3.00×",))
    ran = charts.outcomes(report(filled, parse(month="2026-11"), ("day",)))
    assert [series.values[1] for series in ran.series] == ["1", "1"]
    assert ran.texts[0] == "no call"


def test_a_waterfall_begins_each_step_where_the_last_ended() -> None:
    drawn = charts.waterfall([("prompt", "input", 10), ("round 1", "intermediate", 20), ("answer", "output", 5)])
    assert drawn.starts == ("0", "10", "30")
    assert {series.name: series.color for series in drawn.series} == {
        kind: COLORS[kind] for kind in ("input", "intermediate", "output")
    }


def test_figures_have_exact_numbers_and_no_cloud(filled: Ledger) -> None:
    models = report(filled, parse(month="2026-11"), ("model",))
    shape = json.loads(charts.figure(charts.cost_by_group(models)).to_json())
    assert shape["data"][0]["x"][1] == usd(10 * unit_price("2.00"))
    assert shape["data"][0]["marker"]["color"] == COLORS["input"]
    assert shape["layout"]["barmode"] == "stack"
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["displayModeBar"] is False


def test_what_pages_draw_is_what_plotly_checked(filled: Ledger) -> None:
    models = report(filled, parse(month="2026-11"), ("model",))
    across = charts.intermediate_ratio(models)
    steps = charts.waterfall([("prompt", "input", 10), ("answer", "output", 5)])
    for chart in (charts.cost_by_time(report(filled, parse(month="2026-11"), ("day",))), across, steps):
        checked = json.loads(charts.figure(chart).to_json())
        del checked["layout"]["template"]
        assert json.loads(json.dumps(charts.shape(chart))) == checked


def test_one_kind_of_token_has_one_colour(filled: Ledger) -> None:
    models = report(filled, parse(month="2026-11"), ("model",))
    seen: dict[str, set[str]] = {}
    for drawn in (charts.cost_by_group(models), charts.waterfall([("a", "input", 1), ("b", "intermediate", 1)])):
        for series in drawn.series:
            seen.setdefault(series.name, set()).add(series.color)
    assert all(len(colours) == 1 for colours in seen.values())
    assert len({COLORS[kind] for kind in ("input", "cached_input", "intermediate", "output", "thinking")}) == 5


def test_the_steps_of_a_difference_each_begin_where_the_last_ended() -> None:
    dollar = 10**12
    chart = charts.cost_steps("By model", [("a", 3 * dollar, "/a"), ("b", -2 * dollar, None)], (dollar, 2 * dollar))
    assert chart.categories == ("before", "a", "b", "now")
    assert [Decimal(start) for start in chart.starts or ()] == [0, 1, 2, 0]
    lengths = {one.name: [value and Decimal(value) for value in one.values] for one in chart.series}
    assert lengths == {"whole period": [1, None, None, 2], "more": [None, 3, None, None], "less": [None, None, 2, None]}
    assert chart.texts == ("$1.00", "+$3.00", "-$2.00", "$2.00")
    assert chart.links == (None, "/a", None, None)


def test_a_bar_says_its_meters_tokens_dollars_and_shares(filled: Ledger) -> None:
    drawn = charts.cost_by_time(report(filled, parse(month="2026-11"), ("day",)))
    said = drawn.tip(1)
    assert said.name == "Mon 2026-11-02"
    assert [(row.name, row.count) for row in said.rows] == [
        ("input", "10"), ("intermediate", "30"), ("output with thinking", "5"), ("together", "45"),
    ]  # fmt: skip
    assert [row.color for row in said.rows[:3]] == [COLORS["input"], COLORS["intermediate"], COLORS["output"]]
    assert drawn.tip(0).note == "No call."


def test_a_chart_without_tips_says_its_values() -> None:
    dollar = 1_000_000_000_000
    said = charts.cost_steps("By model", [("a", 3 * dollar, "/a")], (dollar, 4 * dollar)).tip(1)
    assert (said.name, said.note) == ("a", "+$3.00")
    assert [(row.name, row.cost) for row in said.rows] == [("more", "$3.00")]


def test_a_money_axis_is_in_cents_where_cents_are_seen(filled: Ledger) -> None:
    small = charts.shape(charts.cost_by_time(report(filled, parse(month="2026-11"), ("day",))))
    assert "tickformat" not in small["layout"]["yaxis"]
    dollar = 1_000_000_000_000
    large = charts.shape(charts.cost_steps("By model", [], (dollar, dollar)))
    assert large["layout"]["xaxis"]["tickformat"] == ",.2f"


def test_what_failures_cost_is_drawn_the_most_first(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-10-05T10:00:00+00:00", (0, 100, 0), outcomes=[OK, FAILED]),
        call("2026-10-05T10:00:00+00:00", (0, 100, 0), PRO, outcomes=[FAILED]),
        call("2026-10-05T10:00:00+00:00", (0, 100, 0), "nobody-knows", outcomes=[FAILED]),
    )
    chart = charts.waste_by_group(report(ledger, parse(month="2026-10"), ("model",)), lambda row: f"/{row.calls}")
    assert chart.categories == (PRO, FLASH)
    assert chart.series[0].values == (usd(100 * unit_price("2.00")), usd(50 * unit_price("0.50")))
    assert chart.links == ("/1", "/1")
    assert chart.series[0].color == COLORS["failed"]
