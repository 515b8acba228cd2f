"""Tables are sorted, searched and paged through by their address, and say how many rows there are."""

import re

import pytest

from gembill.errors import ConfigurationError
from gembill_reports.dashboard import grids
from gembill_reports.dashboard.grids import arranged
from gembill_reports.dashboard.page import Cell, Grid, counted, dollars, money_head, number, text
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.dashboard.render import environment
from tests.gembill_reports.making import us

NOW = us("2026-11-21T09:00:00+00:00")
MODELS = Grid(
    "Models",
    [text("Model"), number("Calls"), money_head("Cost")],
    [
        [text("beta"), counted(2), dollars(10**12)],
        [text("Alpha"), counted(30), dollars(None)],
        [text("gamma pro"), counted(1), dollars(2 * 10**12)],
    ],
    [text("Total"), counted(33), dollars(3 * 10**12)],
    name="sums",
    noun="models",
)


def asked(**rest: str) -> PageQuery:
    return view([("month", "2026-11"), *((f"sums.{key}", value) for key, value in rest.items())], NOW, None)


def shown(grid: Grid) -> list[str]:
    return [row[0].text for row in grid.rows]


def summary(grid: Grid) -> str:
    assert grid.tools is not None
    return grid.tools.summary


def test_rows_have_the_order_of_the_report_until_another_is_asked_for() -> None:
    grid = arranged(MODELS, asked(), "/models")
    assert shown(grid) == ["beta", "Alpha", "gamma pro"]
    assert summary(grid) == "3 models"
    assert grid.total is not None


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("model.up", ["Alpha", "beta", "gamma pro"]),
        ("calls.down", ["Alpha", "beta", "gamma pro"]),
        ("calls.up", ["gamma pro", "beta", "Alpha"]),
        ("cost.down", ["gamma pro", "beta", "Alpha"]),
        ("cost.up", ["beta", "gamma pro", "Alpha"]),  # what is not known is last both ways
    ],
)
def test_rows_are_sorted_by_their_numbers_and_words(sort: str, order: list[str]) -> None:
    assert shown(arranged(MODELS, asked(sort=sort), "/models")) == order


def test_headings_sort_the_largest_first_and_turn_when_they_are_asked_again() -> None:
    heads = [head.link for head in arranged(MODELS, asked(sort="calls.down"), "/models").heads]
    assert heads == [
        "/models?month=2026-11&sums.sort=model.up#sums",
        "/models?month=2026-11&sums.sort=calls.up#sums",
        "/models?month=2026-11&sums.sort=cost.down#sums",
    ]


def test_a_search_leaves_the_rows_that_have_every_word_and_no_total() -> None:
    grid = arranged(MODELS, asked(find="PRO gam"), "/models")
    assert shown(grid) == ["gamma pro"]
    assert summary(grid) == "1 of 3 models"
    assert grid.total is None
    nothing = arranged(MODELS, asked(find="delta"), "/models")
    assert (nothing.rows, nothing.empty) == ([], "Nothing fits 'delta'.")


def test_a_search_keeps_the_rest_of_the_address() -> None:
    tools = arranged(MODELS, asked(find="a", sort="calls.up", page="1"), "/models").tools
    assert tools is not None
    assert tools.kept == [("month", "2026-11"), ("sums.sort", "calls.up")]


def test_long_tables_go_on_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "SIZE", 2)
    first = arranged(MODELS, asked(), "/models")
    last = arranged(MODELS, asked(page="99"), "/models")
    assert (shown(first), shown(last)) == (["beta", "Alpha"], ["gamma pro"])
    assert (summary(first), summary(last)) == ("1 to 2 of 3 models", "3 to 3 of 3 models")
    assert first.tools is not None
    assert last.tools is not None
    assert (first.tools.previous, first.tools.onward) == (None, "/models?month=2026-11&sums.page=2#sums")
    assert (last.tools.previous, last.tools.onward) == ("/models?month=2026-11&sums.page=1#sums", None)


@pytest.mark.parametrize(("key", "value"), [("sort", "colour.up"), ("sort", "calls"), ("page", "0"), ("page", "x")])
def test_a_word_that_it_does_not_know_is_refused(key: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        arranged(MODELS, asked(**{key: value}), "/models")


def test_a_table_without_a_name_or_rows_stays_as_it_is() -> None:
    plain = Grid("Receipt", [text("Line")], [[text("a")]])
    assert arranged(plain, asked(), "/calls") is plain


def test_one_row_has_nothing_to_sort_or_search() -> None:
    grid = arranged(Grid("Models", MODELS.heads, MODELS.rows[:1], name="sums", noun="models"), asked(), "/models")
    assert summary(grid) == "1 model"
    assert not any(head.link for head in grid.heads)
    assert grid.tools is not None
    assert grid.tools.find == ""


def test_the_markup_says_how_it_is_sorted_and_what_a_card_shows_first() -> None:
    template = environment().from_string('{% import "macros.html" as m with context %}{{ m.grid(one) }}')
    page = template.render(one=arranged(MODELS, asked(sort="cost.down"), "/models"))
    assert page.count("aria-sort") == 1
    assert 'aria-sort="descending"' in page
    assert re.search(r'<td class="n money " data-name="Cost">\s*\$2.00', page)
    folded = Grid("Prices", [text("Tiers")], [[Cell("2 tiers", more=("batch: <1",))]])
    assert "<summary>2 tiers</summary><div>batch: &lt;1</div>" in template.render(one=folded)
