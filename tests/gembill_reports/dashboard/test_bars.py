"""Sketches: lengths in proportion to the numbers."""

from decimal import Decimal

from gembill_reports.charts import Chart, Series, waterfall
from gembill_reports.dashboard.bars import sketch


def test_lengths_are_shares_of_the_longest_bar() -> None:
    chart = Chart(
        key="k",
        title="t",
        unit="$",
        categories=("a", "b", "c"),
        series=(Series("x", "#1", ("1", "2", None)), Series("y", "#2", ("1", None, "0.00001"))),
        texts=("", "", ""),
        links=("/a", None, None),
    )
    plan = sketch(chart)
    assert plan.top == Decimal(2)
    assert [[piece.percent for piece in bar.pieces] for bar in plan.bars] == [["50.00", "50.00"], ["100.00"], ["0.35"]]
    assert plan.bars[0].link == "/a"


def test_a_waterfall_keeps_its_starts() -> None:
    plan = sketch(waterfall([("a", "input", 25), ("b", "output", 75)]))
    assert [bar.start for bar in plan.bars] == ["0.00", "25.00"]


def test_nothing_has_no_top() -> None:
    assert sketch(waterfall([])).top == 0


def days(number: int) -> Chart:
    names = tuple(f"2026-10-{day:02d}" for day in range(1, number + 1))
    values = Series("x", "#1", ("1",) * number)
    return Chart(key="k", title="t", unit="", categories=names, series=(values,), texts=names, links=(None,) * number)


def test_at_most_eight_names_are_on_the_axis() -> None:
    plan = sketch(days(31))
    assert [bar.spans for bar in plan.bars if bar.spans] == [4, 4, 4, 4, 4, 4, 4, 3]
    assert [bar.tick for bar in plan.bars if bar.tick][:2] == ["10-01", "10-05"]


def test_a_bar_says_what_it_is() -> None:
    assert sketch(days(3)).bars[1].tip.name == "Fri 2026-10-02"
